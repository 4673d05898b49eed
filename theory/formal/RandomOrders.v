(* Uniformly random orders of L positions.

   s : 'S_L     an order, as a permutation: s r is the position of rank r, revealed as number r (counting from 0)
   rank s i     the rank of position i;   prefix s n   the set of the first n positions
   avg F        the mean of F(s) over all L! orders *)
From mathcomp Require Import all_ssreflect fingroup perm all_algebra.
From Formal Require Import Logarithm.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Orders.
Variables (R : realFieldType) (L : nat).
Implicit Types (s : {perm 'I_L}) (r : 'I_L) (n : nat).

Definition rank s (i : 'I_L) : 'I_L := (s^-1)%g i.
Definition prefix s n : {set 'I_L} := [set i | (rank s i < n)%N].

Lemma prefix0 s : prefix s 0 = set0.
Proof. by apply/setP => i; rewrite !inE. Qed.

Lemma prefixT s : prefix s L = setT.
Proof. by apply/setP => i; rewrite !inE ltn_ord. Qed.

Lemma mem_prefix s n r : (s r \in prefix s n) = (r < n)%N.
Proof. by rewrite inE /rank permK. Qed.

Lemma prefixS s r : prefix s r.+1 = s r |: prefix s r.
Proof. apply/setP => i; rewrite -(permKV s i) in_setU1 !mem_prefix ltnS leq_eqVlt. by rewrite (inj_eq perm_inj). Qed.

Lemma prefix_sub s m n : (m <= n)%N -> prefix s m \subset prefix s n.
Proof. by move=> mn; apply/subsetP => i; rewrite !inE => /leq_trans; apply. Qed.

Lemma card_lt n : (n <= L)%N -> #|[set r : 'I_L | (r < n)%N]| = n.
Proof.
move=> nL; rewrite -sum1_card (eq_bigl (fun r : 'I_L => (r < n)%N)) => [|r].
  by rewrite (big_ord_narrow nL) big_const_ord iter_addn_0 mul1n.
by rewrite inE.
Qed.

(* Ranks that are not yet revealed are exchangeable: swap two of them in every order. *)
Lemma swap_rank (F : 'I_L -> {set 'I_L} -> R) n r r' : (n <= r)%N -> (n <= r')%N ->
  \sum_(s : 'S_L) F (s r) (prefix s n) = \sum_(s : 'S_L) F (s r') (prefix s n).
Proof.
move=> nr nr'; rewrite (reindex_inj (mulgI (tperm r r'))) /=.
apply: eq_bigr => s _; rewrite permM tpermL; congr (F _ _).
apply/setP => i; rewrite !inE /rank invMg tpermV permM. by case: tpermP => [->|->|//]; rewrite !ltnNge nr nr'.
Qed.

(* Averaging over the next position is averaging over all positions that are not yet revealed. *)
Lemma sum_next (F : 'I_L -> {set 'I_L} -> R) n r : (n <= r)%N ->
  \sum_(s : 'S_L) \sum_(i | i \notin prefix s n) F i (prefix s n)
    = (L - n)%:R * \sum_(s : 'S_L) F (s r) (prefix s n).
Proof.
move=> nr; transitivity (\sum_(s : 'S_L) \sum_(r' : 'I_L | (n <= r')%N) F (s r') (prefix s n)).
  apply: eq_bigr => s _; rewrite (reindex_inj (@perm_inj _ s)).
  by apply: eq_bigl => r'; rewrite mem_prefix -leqNgt.
rewrite exchange_big /=.
rewrite (eq_bigr (fun=> \sum_(s : 'S_L) F (s r) (prefix s n))) => [|r' nr'];
  last exact: swap_rank.
rewrite sumr_const mulr_natl; congr (_ *+ _). have nL : (n <= L)%N by rewrite (leq_trans nr) // ltnW.
have -> : (L - n)%N = #|~: [set r' : 'I_L | (r' < n)%N]|.
  by rewrite cardsCs setCK card_lt // card_ord.
by apply: eq_card => r'; rewrite !inE -leqNgt.
Qed.

(* A set of n positions and one more is a set of n + 1 positions, one of them marked. *)
Lemma sum_add1 (G : 'I_L -> {set 'I_L} -> R) n :
  \sum_(S : {set 'I_L} | #|S| == n) \sum_(i | i \notin S) G i (i |: S)
    = \sum_(T : {set 'I_L} | #|T| == n.+1) \sum_(i in T) G i T.
Proof.
rewrite (exchange_big_dep xpredT) //= [RHS](exchange_big_dep xpredT) //=. apply: eq_bigr => i _.
rewrite [RHS](reindex_onto (fun S => i |: S) (fun T => T :\ i)) /=; last first.
  by move=> T /andP[_ iT]; rewrite setD1K.
apply: eq_bigl => S; rewrite setU11 andbT. have [iS|iS] := boolP (i \in S).
  rewrite andbF; apply/esym/negbTE; rewrite negb_and; apply/orP; right.
  by apply: contraTneq iS => <-; rewrite !inE eqxx.
by rewrite cardsU1 iS add1n eqSS setU1K // eqxx !andbT.
Qed.

(* The first n positions of a uniformly random order are a uniformly random n-subset. *)
Lemma sum_prefix (F : {set 'I_L} -> R) n : (n <= L)%N ->
  (\sum_(s : 'S_L) F (prefix s n)) * 'C(L, n)%:R
    = L`!%:R * \sum_(S : {set 'I_L} | #|S| == n) F S.
Proof.
elim: n F => [|n IH] F nL.
  rewrite bin0 mulr1 (big_pred1 set0) => [|S]; last by rewrite /= cards_eq0.
  rewrite (eq_bigr (fun=> F set0)) => [|s _]; last by rewrite prefix0. by rewrite sumr_const card_Sn mulr_natl.
have := IH (fun S => \sum_(i | i \notin S) F (i |: S)) (ltnW nL).
rewrite (@sum_next (fun i S => F (i |: S)) n (Ordinal nL)) //. rewrite (sum_add1 (fun _ T => F T)).
rewrite (eq_bigr (fun s => F (prefix s n.+1))) => [|s _]; last first.
  by rewrite -(prefixS s (Ordinal nL)).
rewrite (eq_bigr (fun T : {set _} => n.+1%:R * F T)) => [|T /eqP cT]; last first.
  by rewrite sumr_const cT mulr_natl.
rewrite -mulr_sumr mulrAC -natrM -mul_bin_left natrM -mulrA [RHS]mulrCA.
by move/(mulfI _) => <-; [rewrite mulrC | rewrite pnatr_eq0].
Qed.

(* The mean over all L! orders. *)
Definition avg (F : 'S_L -> R) := (\sum_(s : 'S_L) F s) / L`!%:R.

Lemma avg_sum (J : finType) (F : J -> 'S_L -> R) :
  \sum_j avg (F j) = avg (fun s => \sum_j F j s).
Proof. by rewrite -mulr_suml exchange_big. Qed.

Lemma avg_const c : avg (fun=> c) = c.
Proof. rewrite /avg sumr_const card_Sn -[c *+ _]mulr_natr mulfK //. by rewrite pnatr_eq0 -lt0n fact_gt0. Qed.

Lemma avgB F c : avg (fun s => F s - c) = avg F - c.
Proof. by rewrite -[in RHS](avg_const c) /avg sumrB mulrBl. Qed.

End Orders.
