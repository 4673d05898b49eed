(* Blocks of b tokens with a uniformly random offset: half the price. theory/perplexity/derivation.md, section 4.

   offset_step b d r   the step of the token of rank r when the boundaries are 0, d, d + b, d + 2b, ..., L
   repetition v        the repetition language: all L tokens equal, uniform over the symbols *)
From mathcomp Require Import all_ssreflect fingroup perm all_algebra.
From Formal Require Import Logarithm Entropy Sampler Trajectory RandomOrders InformationCurve Sizes.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

(* The number of boundaries d, d + b, d + 2b, ... that are at most r. *)
Definition offset_step_of (b d r : nat) : nat := if (r < d)%N then 0%N else ((r - d) %/ b).+1.

Lemma offset_step_lt L b d (r : 'I_L) : (offset_step_of b d r < L.+1)%N.
Proof.
rewrite /offset_step_of; case: ifP => // _; rewrite ltnS.
by apply: leq_ltn_trans (leq_div _ _) _; apply: leq_ltn_trans (leq_subr _ _) (ltn_ord r).
Qed.

Definition offset_step L b d (r : 'I_L) : 'I_L.+1 := Ordinal (offset_step_lt b d r).

(* The tokens before the step of rank r are those of rank below r - t, t = (r - d) mod b, or none while r < d. *)
Lemma offset_start b d r r' : (d < b)%N ->
  (offset_step_of b d r' < offset_step_of b d r)%N = (r' < r - (r + (b - d)) %% b)%N.
Proof.
move=> db; have b0 : (0 < b)%N by apply: leq_ltn_trans db. rewrite /offset_step_of; have [rd|dr] := ltnP r d.
  rewrite ltn0 (_ : (r - _)%N = 0%N) ?ltn0 //; apply/eqP; rewrite subn_eq0.
  by rewrite modn_small; [rewrite leq_addr | rewrite addnBA ?(ltnW db) // ltn_subLR ?ltn_add2r // ltnW // ltn_addl].
have -> : ((r + (b - d)) %% b)%N = ((r - d) %% b)%N.
  by rewrite addnBA ?(ltnW db) // -addnBAC // modnDr.
have e : (r - (r - d) %% b)%N = (d + (r - d) %/ b * b)%N.
  apply/eqP; rewrite -(eqn_add2r ((r - d) %% b)) subnK; last exact: leq_trans (leq_mod _ _) (leq_subr _ _).
  by rewrite -addnA -divn_eq subnKC.
rewrite e; have [r'd|dr'] := ltnP r' d.
  by rewrite (ltn_addr _ r'd).
by rewrite ltnS ltn_divLR // ltn_subLR.
Qed.

(* Over all offsets, t takes every value 0, ..., b - 1 once. *)
Lemma sum_cyclic (R : realFieldType) (F : nat -> R) b n :
  \sum_(d < b) F ((n + d) %% b)%N = \sum_(d < b) F d.
Proof.
case: b => [|b]; first by rewrite !big_ord0. elim: n => [|n IH].
  by apply: eq_bigr => d _; rewrite add0n modn_small.
rewrite -IH [LHS]big_ord_recr [RHS]big_ord_recl /= addrC addn0 addSnnS modnDr.
by congr (_ + _); apply: eq_bigr => d _; rewrite addSnnS.
Qed.

Lemma sum_offsets (R : realFieldType) (F : nat -> R) b r :
  \sum_(d < b) F ((r + (b - d)) %% b)%N = \sum_(t < b) F t.
Proof.
rewrite -(sum_cyclic F b r.+1) [LHS](reindex_inj rev_ord_inj) /=.
by apply: eq_bigr => d _; rewrite subKn ?ltn_ord // addSnnS.
Qed.

(* 1 + 2 + ... + (b-1) = b (b-1) / 2. *)
Lemma triangle (R : realFieldType) b : \sum_(t < b) t%:R = b%:R * (b.-1%:R / 2%:R) :> R.
Proof.
apply: (@mulIf _ 2%:R); first by rewrite pnatr_eq0.
rewrite -mulrA divfK ?pnatr_eq0 // -natr_sum -!natrM; congr (_%:R).
rewrite -(big_mkord xpredT id) triangular_sum bin2 muln2. have := odd_double_half (b * b.-1); rewrite oddM.
by case: b => // c /=; rewrite andNb add0n => ->.
Qed.

(* How many of 0, ..., n - 1 are below t. *)
Lemma count_below t n : (\sum_(i < n) (i < t : nat))%N = minn t n.
Proof.
elim: n => [|n IH]; first by rewrite big_ord0 minn0.
rewrite big_ord_recr /= IH; have [nt|tn] := ltnP n t; last by rewrite addn0 !(minn_idPl _) // ltnW.
by rewrite addn1 !(minn_idPr _) // ltnW.
Qed.

Section Offsets.
Variables (R : realFieldType) (ln : logarithm R) (L : nat) (V : finType).
Implicit Types (q : law R (word 'I_L V)) (k : denoiser R 'I_L V).

(* The mean over the b offsets, each of the mean over all orders. *)
Definition mean_offset q k b := (\sum_(d < b) mean_KL ln q k (@offset_step L b d)) / b%:R.

Lemma mean_offsetE q k b : exact q k -> mean_offset q k b =
  (\sum_(t < b) \sum_(r < L) (g ln q (r - t) - g ln q r)) / b%:R.
Proof.
move=> kE; congr (_ / _); rewrite [RHS]exchange_big /=.
rewrite (eq_bigr (fun d : 'I_b => \sum_(r < L) (g ln q (r - (r + (b - d)) %% b) - g ln q r))).
  rewrite exchange_big /=; apply: eq_bigr => r _. exact: (sum_offsets (fun t => g ln q (r - t) - g ln q r)).
move=> d _; apply: (mean_KL_gap ln kE (start := fun r => (r - (r + (b - d)) %% b)%N)) => r r'.
by rewrite /= offset_start.
Qed.

(* random-offset-sizes, the inequality *)
Theorem random_offset_sizes q k b : exact q k -> (0 < L)%N -> (0 < b)%N ->
  mean_offset q k b <= (b - 1)%:R / 2%:R * ((TC ln q + DTC ln q) / L%:R).
Proof.
move=> kE L0 b0; rewrite TC_DTC [L%:R * _]mulrC mulfK ?pnatr_eq0 -?lt0n //.
rewrite mean_offsetE // ler_pdivr_mulr ?ltr0n //.
apply: le_trans (ler_sum _ (fun (t : 'I_b) _ => sum_shift (@g_step R ln L V q) t)) _.
by rewrite -mulr_suml triangle subn1 -[leLHS]mulrA [leLHS]mulrC.
Qed.

(* The repetition language over the symbols V. *)
Variables (v0 : V).
Definition constant v : {ffun 'I_L -> V} := [ffun=> v].
Definition repetition_pr (x : {ffun 'I_L -> V}) : R := (\sum_v (x == constant v)%:R) / #|V|%:R.

Lemma card_gt0 : (#|V| : nat)%:R != 0 :> R.
Proof. by rewrite pnatr_eq0 -lt0n; apply/card_gt0P; exists v0. Qed.

Lemma mean_repetition (F : {ffun 'I_L -> V} -> R) :
  \sum_x repetition_pr x * F x = (\sum_v F (constant v)) / #|V|%:R.
Proof.
under eq_bigr do rewrite /repetition_pr mulrAC mulr_suml.
rewrite -mulr_suml exchange_big /=; congr (_ / _); apply: eq_bigr => v _.
by rewrite (bigD1 (constant v)) //= eqxx mul1r big1 ?addr0 // => x /negbTE->; rewrite mul0r.
Qed.

Lemma repetition_ge0 x : 0 <= repetition_pr x.
Proof. by rewrite divr_ge0 ?ler0n // sumr_ge0 // => v _; rewrite ler0n. Qed.

Lemma repetition_sum1 : \sum_x repetition_pr x = 1.
Proof.
rewrite -[LHS](eq_bigr _ (fun x _ => mulr1 (repetition_pr x))) mean_repetition.
by rewrite sumr_const divff ?card_gt0.
Qed.

Definition repetition := Law repetition_ge0 repetition_sum1.

(* H(X_S) = ln |V| for every nonempty S. *)
Lemma entropy_repetition (S : {set 'I_L}) : S != set0 -> entropy ln repetition S = ln #|V|%:R.
Proof.
case/set0Pn => i iS; have K0 : 0 < #|V|%:R :> R by rewrite lt_neqAle eq_sym card_gt0 ler0n.
rewrite entropyE mean_repetition (eq_bigr (fun=> - ln #|V|%:R)) => [|v _]; last first.
  rewrite -[RHS]sub0r -(ln1 ln) -ln_div // ?ltr01 //; congr (ln _).
  rewrite /mass /marg big_mkcond /= (eq_bigr (fun y => repetition_pr y *
    (agree S y (constant v))%:R)) => [|y _]; last first. by rewrite /agree; case: eqP; rewrite ?mulr1 ?mulr0.
  rewrite mean_repetition (bigD1 v) //= /agree eqxx big1 ?addr0 // => w wv.
  by case: eqP => // /eqP/agreeP/(_ i iS); rewrite !ffunE => wv'; rewrite wv' eqxx in wv.
by rewrite sumr_const -[_ *+ _]mulr_natr mulfK ?card_gt0 // opprK.
Qed.

Lemma g_repetition n : (n < L)%N -> g ln repetition n = (n == 0%N)%:R * ln #|V|%:R.
Proof.
move=> nL; have L0 : (0 < L)%N by apply: leq_ltn_trans nL.
rewrite -(gE ln repetition (leqnn n : (n <= Ordinal nL)%N)) /avg.
rewrite (eq_bigr (fun=> (n == 0%N)%:R * ln #|V|%:R)) => [|s _]; first exact: (avg_const L).
have p0 : (prefix s n != set0) = (n != 0%N).
  case: (posnP n) => [->|n0]; first by rewrite prefix0 eqxx.
  by apply/set0Pn; exists (s (Ordinal L0)); rewrite mem_prefix.
rewrite /Hc entropy_repetition; last by apply/set0Pn; exists (s (Ordinal nL)); rewrite setU11.
case: (posnP n) => [n0|n0]; first by rewrite n0 prefix0 entropy0 subr0 mul1r.
by rewrite entropy_repetition ?p0 -?lt0n // subrr mul0r.
Qed.

(* random-offset-sizes, equality *)
Theorem random_offset_equality k b : exact repetition k -> (1 < L)%N -> (1 < #|V|)%N -> (0 < b)%N ->
  mean_offset repetition k b
    = (b - 1)%:R / 2%:R * ((TC ln repetition + DTC ln repetition) / L%:R)
  <-> (b <= L)%N.
Proof.
move=> kE L1 V1 b0; have L0 : (0 < L)%N := ltnW L1.
have ln_gt0 : 0 < ln #|V|%:R by rewrite -(ln1 ln) ln_lt ?ltr01 // ltr1n.
rewrite TC_DTC [L%:R * _]mulrC mulfK ?pnatr_eq0 -?lt0n // mean_offsetE //.
rewrite !g_repetition ?ltn_predL // (gtn_eqF (_ : 0 < L.-1)%N) ?ltn_predRL // mul0r subr0 mul1r.
have row t : \sum_(r < L) (g ln repetition (r - t) - g ln repetition r) = (minn t L.-1)%:R * ln #|V|%:R.
  rewrite (eq_bigr (fun r : 'I_L => (0 < r <= t)%N%:R * ln #|V|%:R)) => [|r _]; last first.
    rewrite !g_repetition // ?(leq_ltn_trans (leq_subr _ _)) // -mulrBl subn_eq0; congr (_ * _).
    by case: (posnP r) => [->|_] /=; rewrite ?subrr // subr0.
  rewrite -mulr_suml -natr_sum; congr (_%:R * _). rewrite -[in LHS](prednK L0) big_ord_recl /= add0n.
  exact: count_below.
under eq_bigr => t _ do rewrite row.
rewrite -mulr_suml mulrAC -natr_sum subn1; split=> [/(mulIf (lt0r_neq0 ln_gt0)) e|bL].
  have {}e : (\sum_(t < b) minn t L.-1)%N = (\sum_(t < b) t)%N.
    apply/eqP; rewrite -(eqr_nat R) [X in _ == X]natr_sum triangle -e [X in _ == X]mulrC divfK //.
    by rewrite pnatr_eq0 -lt0n.
  rewrite leqNgt; apply/negP => Lb. have : (\sum_(t < b) minn t L.-1 < \sum_(t < b) t)%N.
    rewrite (bigD1 (Ordinal Lb)) //= [X in (_ < X)%N](bigD1 (Ordinal Lb)) //= -addSn leq_add //.
      by rewrite (minn_idPr (leq_pred L)) prednK.
    by apply: leq_sum => t _; rewrite geq_minl.
  by rewrite e ltnn.
congr (_ * _); apply: (@mulfI _ b%:R); first by rewrite pnatr_eq0 -lt0n.
rewrite [LHS]mulrC divfK ?pnatr_eq0 -?lt0n // -triangle -natr_sum; congr (_%:R).
apply: eq_bigr => t _; apply/minn_idPl; rewrite -ltnS prednK //. exact: leq_trans (ltn_ord t) bL.
Qed.

End Offsets.
