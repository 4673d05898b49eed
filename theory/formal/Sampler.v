(* The sampler: masks everything, then in step j draws every token of step j from its law given what is revealed.

   tau : I -> 'I_N   an order: tau i is the step that reveals position i (empty steps are allowed)
   before tau j      T_j, the positions revealed before step j;   block tau j   S_j, those revealed in step j
   k S i x v         a denoiser: the probability that it gives to symbol v at position i when x_S is revealed
   exact q k         k is the exact denoiser of q on every context of positive probability
   p_order k tau x   p_tau(x), the product over all steps of the denoiser's probabilities of the tokens of x
   run k x0 tau n    the law of the text after n steps, by recursion over the steps: what the sampler does *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm Entropy.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Notation denoiser R I V := ({set I} -> I -> {ffun I -> V} -> V -> R).

Section Sampler.
Variables (R : realFieldType) (I V : finType) (q : law R (word I V)) (N : nat).
Implicit Types (i : I) (S T : {set I}) (x y : {ffun I -> V}) (k : denoiser R I V) (tau : I -> 'I_N).

Definition before tau j : {set I} := [set i | (tau i < j)%N].
Definition block tau j : {set I} := [set i | tau i == j :> nat].

Definition p_order k tau x := \prod_(j < N) \prod_(i in block tau j) k (before tau j) i x (x i).

(* k S i x depends on x_S alone; it is a probability; it equals q( . | x_S) wherever that exists;
   it gives a positive probability to every token that is possible. *)
Definition local k := forall S i x y, agree S x y -> k S i x =1 k S i y.
Definition normalised k := (forall S i x v, 0 <= k S i x v) /\ (forall S i x, \sum_v k S i x v = 1).
Definition exact k := forall S i x v, 0 < mass q S x -> k S i x v = cond q S i x v.
Definition positive k := forall S i x, 0 < q x -> 0 < k S i x (x i).

Lemma exact_positive k : exact k -> positive k.
Proof. by move=> kE S i x qx; rewrite kE ?mass_gt0 ?cond_diag_gt0. Qed.

(* Exact denoisers that are local and normalised exist: use any law on contexts of probability zero. *)
Definition exact_denoiser (x0 : {ffun I -> V}) : denoiser R I V := fun S i x v =>
  if 0 < mass q S x then cond q S i x v else (v == x0 i)%:R.

Lemma exact_denoiserP x0 :
  [/\ exact (exact_denoiser x0), local (exact_denoiser x0) & normalised (exact_denoiser x0)].
Proof.
split=> [S i x v m0|S i x y e v|]; first by rewrite /exact_denoiser m0.
  by rewrite /exact_denoiser (eq_mass q e) (eq_cond q i e v).
split=> [S i x v|S i x]; first by rewrite /exact_denoiser; case: ifP; rewrite ?cond_ge0 ?ler0n.
have [m0|m0] := boolP (0 < mass q S x).
  by rewrite -(sum_cond i m0); apply: eq_bigr => v _; rewrite /exact_denoiser m0.
rewrite (eq_bigr (fun v => (v == x0 i)%:R)) => [|v _]; last by rewrite /exact_denoiser (negbTE m0).
by rewrite (bigD1 (x0 i)) //= eqxx big1 ?addr0 // => v /negbTE->.
Qed.

(* Summing over steps, then over the tokens of each step, is summing over all positions. *)
Lemma sum_blocks tau (F : nat -> I -> R) :
  \sum_(j < N) \sum_(i in block tau j) F j i = \sum_i F (tau i) i.
Proof.
rewrite [RHS](partition_big tau xpredT) //=.
apply: eq_bigr => j _; apply: eq_big => [i|i]; first by rewrite inE. by rewrite inE => /eqP->.
Qed.

Lemma p_order_gt0 k tau x : positive k -> 0 < q x -> 0 < p_order k tau x.
Proof. by move=> k0 qx; apply: prodr_gt0 => j _; apply: prodr_gt0 => i _; apply: k0. Qed.

(* ln p_tau(x) = sum over positions of ln k(x_i | what is revealed before x_i). *)
Lemma ln_p_order (ln : logarithm R) k tau x : positive k -> 0 < q x ->
  ln (p_order k tau x) = \sum_i ln (k (before tau (tau i)) i x (x i)).
Proof.
move=> k0 qx; rewrite -(sum_blocks tau (fun j i => ln (k (before tau j) i x (x i)))).
rewrite ln_prod => [|j _]; last by apply: prodr_gt0 => i _; apply: k0.
by apply: eq_bigr => j _; rewrite ln_prod => [//|i _]; apply: k0.
Qed.

Section Run.
Variables (k : denoiser R I V) (k_local : local k) (k_normal : normalised k).
Variables (x0 : {ffun I -> V}) (tau : I -> 'I_N).

(* Masked positions carry the tokens of x0; step j redraws its block, independently given the current text. *)
Fixpoint run n : {ffun I -> V} -> R :=
  if n is j.+1 then fun x =>
    \sum_(y | agree (~: block tau j) y x)
      run j y * \prod_(i in block tau j) k (before tau j) i y (x i)
  else fun x => (x == x0)%:R.

Lemma run_sum1 n : \sum_x run n x = 1.
Proof.
have [_ k_sum1] := k_normal; elim: n => [|n IH] /=.
  by rewrite (bigD1 x0) //= eqxx big1 ?addr0 // => x /negbTE->.
rewrite (exchange_big_dep xpredT) //= -[RHS]IH; apply: eq_bigr => y _.
rewrite -mulr_sumr -[RHS]mulr1; congr (_ * _). pose P i v := (i \in block tau n) || (v == y i).
pose F i v := if i \in block tau n then k (before tau n) i y v else 1.
transitivity (\prod_i \sum_(v | P i v) F i v); last first.
  apply: big1 => i _; rewrite /P /F; case: (i \in _) => /=; first exact: k_sum1. by rewrite big_pred1_eq.
rewrite bigA_distr_big_dep /=; apply: eq_big => [x|x _]; last by rewrite big_mkcond.
apply/agreeP/familyP => e i.
  rewrite unfold_in /P -implyNb; apply/implyP => ni. by apply/eqP/esym/e; rewrite inE.
by have /orP[iB|/eqP->//] : P i (x i) := e i; rewrite in_setC iB.
Qed.

Lemma runE n x : run n x = (agree (~: before tau n) x x0)%:R *
  \prod_(j < n) \prod_(i in block tau j) k (before tau j) i x (x i).
Proof.
elim: n x => [|n IH] x /=.
  rewrite big_ord0 mulr1; congr (_%:R); congr nat_of_bool.
  apply/eqP/agreeP => [->//|e]; apply/ffunP => i; apply: e. by rewrite !inE.
pose y0 : {ffun I -> V} := [ffun i => if i \in before tau n then x i else x0 i].
have only y : agree (~: block tau n) y x && agree (~: before tau n) y x0
    = agree (~: before tau n.+1) x x0 && (y == y0).
  apply/andP/andP => -[/agreeP e1].
    move=> /agreeP e2; split.
      apply/agreeP => i; rewrite !inE -leqNgt => ni. by rewrite -e1 ?inE ?gtn_eqF // e2 // !inE -leqNgt ltnW.
    apply/eqP/ffunP => i; rewrite ffunE; case: ifPn => ib.
      by apply: e1; move: ib; rewrite !inE => /ltn_eqF->.
    by apply: e2; rewrite inE.
  move=> /eqP->; split; apply/agreeP => i; rewrite ffunE; last by rewrite inE => /negbTE->.
  rewrite !inE => ib; case: ifPn => // nb; apply/esym/e1. by rewrite !inE -leqNgt ltn_neqAle eq_sym ib leqNgt.
under eq_bigr => y _ do rewrite IH -mulrA mulr_natl mulrb. rewrite -big_mkcondr (eq_bigl _ _ only).
case: (boolP (agree _ x x0)) => [_|_] /=; last by rewrite big_pred0 ?mul0r.
rewrite big_pred1_eq mul1r [RHS]big_ord_recr /=.
have e : agree (before tau n) y0 x by apply/agreeP => i ib; rewrite ffunE ib.
congr (_ * _); last by apply: eq_bigr => i _; rewrite (k_local _ e).
apply: eq_bigr => j _; have jn : before tau j \subset before tau n.
  by apply/subsetP => i; rewrite !inE => /ltn_trans; apply.
apply: eq_bigr => i; rewrite inE => /eqP ij. rewrite (k_local _ (agree_sub jn e)) (agreeP _ _ _ e) //.
by rewrite inE ij.
Qed.

(* The text after the last step has law p_tau: the product formula of theory/notation.md is what is written. *)
Theorem sampler_law x : run N x = p_order k tau x.
Proof. rewrite runE (_ : agree _ x x0) ?mul1r //. by apply/agreeP => i; rewrite !inE ltn_ord. Qed.

Corollary p_order_sum1 : \sum_x p_order k tau x = 1.
Proof. by rewrite -(run_sum1 N); apply: eq_bigr => x _; rewrite sampler_law. Qed.

End Run.
End Sampler.
