(* The information curve g of a language.

   g n   the mean of H(X_i | X_S) over all sets S of n positions and all positions i outside S, n = 0, ..., L-1
   theory/notation.md; theory/perplexity/derivation.md, section 2. *)
From mathcomp Require Import all_ssreflect fingroup perm all_algebra.
From Formal Require Import Logarithm Entropy RandomOrders.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Curve.
Variables (R : realFieldType) (ln : logarithm R) (L : nat) (V : finType) (q : law R (word 'I_L V)).
Local Notation H := (entropy ln q).
Local Notation Hc := (Hc ln q).

Definition g (n : nat) :=
  (\sum_(S : {set 'I_L} | #|S| == n) \sum_(i | i \notin S) Hc i S) / (L * 'C(L.-1, n))%:R.

(* g(n) is also the mean over all orders of what the token of rank r costs when the first n are seen, r >= n. *)
Lemma gE n (r : 'I_L) : (n <= r)%N -> avg (fun s => Hc (s r) (prefix s n)) = g n.
Proof.
move=> nr; have nL : (n < L)%N := leq_ltn_trans nr (ltn_ord r).
have := sum_prefix (fun S => \sum_(i | i \notin S) Hc i S) (ltnW nL).
rewrite (sum_next (Hc) nr) mulrAC -natrM => e. have L0 : (0 < L)%N by apply: leq_ltn_trans nL.
apply/eqP; rewrite /avg /g eqr_div ?pnatr_eq0 -?lt0n ?fact_gt0 //; last first.
  by rewrite muln_gt0 L0 bin_gt0 -ltnS prednK.
by rewrite mul_bin_down mulrC e mulrC.
Qed.

(* g is nonincreasing (Han 1978) ... *)
Theorem g_step n : (n.+1 < L)%N -> g n.+1 <= g n.
Proof.
move=> nL; rewrite -(@gE n.+1 (Ordinal nL)) // -(@gE n (Ordinal nL)) ?leqnSn //.
rewrite ler_pmul2r ?invr_gt0 ?ltr0n ?fact_gt0 //; apply: ler_sum => s _.
by apply: Hc_antimono; apply: prefix_sub.
Qed.

(* ... and sums to H(X): the chain rule along every order. *)
Theorem sum_g : \sum_(n < L) g n = H setT.
Proof.
transitivity (\sum_(r < L) avg (fun s => Hc (s r) (prefix s r))).
  by apply: eq_bigr => r _; rewrite gE.
rewrite avg_sum -[RHS](@avg_const R L); congr (_ / _); apply: eq_bigr => s _.
transitivity (H (prefix s L) - H (prefix s 0)); last first.
  by rewrite prefixT prefix0 entropy0 subr0.
rewrite -(telescope_sumr (fun n => H (prefix s n))) // big_mkord. by apply: eq_bigr => r _; rewrite prefixS.
Qed.

(* TC = L g(0) - H(X) and DTC = H(X) - L g(L-1), so TC + DTC = L (g(0) - g(L-1)). *)
Lemma TC_g : TC ln q = L%:R * g 0 - H setT.
Proof.
congr (_ - _); case: (posnP L) => [L0|L0].
  by rewrite (_ : L%:R = 0 :> R) ?L0 // mul0r big1 // => i _; have := ltn_ord i; rewrite [X in (_ < X)%N]L0.
rewrite /g bin0 muln1 mulrC divfK ?pnatr_eq0 -?lt0n // (big_pred1 set0) => [|S]; last by rewrite /= cards_eq0.
apply: eq_big => [i|i _]; first by rewrite inE. by rewrite /Entropy.Hc setU0 entropy0 subr0.
Qed.

Lemma DTC_g : DTC ln q = H setT - L%:R * g L.-1.
Proof.
congr (_ - _); case: (posnP L) => [L0|L0].
  by rewrite (_ : L%:R = 0 :> R) ?L0 // mul0r big1 // => i _; have := ltn_ord i; rewrite [X in (_ < X)%N]L0.
rewrite /g binn muln1 [L%:R * _]mulrC divfK ?pnatr_eq0 -?lt0n //.
pose G (i : 'I_L) (T : {set 'I_L}) := Hc i (T :\ i).
transitivity (\sum_(S : {set 'I_L} | #|S| == L.-1) \sum_(i | i \notin S) G i (i |: S)).
  rewrite sum_add1 prednK // (big_pred1 setT) => [|T].
    by apply: eq_bigl => i; rewrite inE.
  have := max_card (mem T); rewrite card_ord => TL. by rewrite /= eqEcard subsetT cardsT card_ord /= eqn_leq TL.
by apply: eq_bigr => S _; apply: eq_bigr => i iS; rewrite /G setU1K.
Qed.

Lemma TC_DTC : TC ln q + DTC ln q = L%:R * (g 0 - g L.-1).
Proof. by rewrite TC_g DTC_g addrA subrK mulrBr. Qed.

End Curve.
