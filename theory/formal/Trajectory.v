(* What one order costs, what a wrong denoiser adds, and the law of a mixture of orders.
   theory/perplexity/derivation.md, sections 1 and 5. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm Entropy Sampler.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Trajectory.
Variables (R : realFieldType) (ln : logarithm R) (I V : finType) (q : law R (word I V)) (N : nat).
Implicit Types (i : I) (S T : {set I}) (x y : {ffun I -> V}) (k p : denoiser R I V) (tau : I -> 'I_N).
Local Notation H := (entropy ln q).
Local Notation "H( i | S )" := (Hc ln q i S) (at level 0, i at level 50, S at level 50).

(* TC(X_S | X_T) = sum over i in S of H(X_i | X_T), minus H(X_S | X_T) = H(X_{T u S}) - H(X_T). *)
Definition conditional_TC S T := \sum_(i in S) H(i | T) - (H (T :|: S) - H T).

(* KL(q || p_tau) = sum over positions of H(X_i | revealed before i), minus H(X). *)
Lemma KL_order k tau : exact q k ->
  KL ln q (p_order k tau) = \sum_i H(i | before tau (tau i)) - H setT.
Proof.
move=> kE; have k0 := exact_positive kE; rewrite /KL (eq_mean (G := fun x =>
  ln (mass q setT x) - \sum_i ln (cond q (before tau (tau i)) i x (x i)))); last first.
  move=> x qx; rewrite massT (ln_p_order ln tau k0 qx); congr (_ - _).
  by apply: eq_bigr => i _; rewrite kE ?mass_gt0.
under eq_bigr do rewrite mulrBr mulr_sumr. rewrite sumrB entropyE opprK addrC; congr (_ + _).
rewrite exchange_big -sumrN /=. by apply: eq_bigr => i _; rewrite HcE.
Qed.

(* trajectory-identity *)
Theorem trajectory_identity k tau : exact q k ->
  KL ln q (p_order k tau) =
    \sum_(j < N) (\sum_(i in block tau j) H(i | before tau j)
      - (H (before tau j :|: block tau j) - H (before tau j)))
  /\ KL ln q (p_order k tau) = \sum_(j < N) conditional_TC (block tau j) (before tau j).
Proof.
move=> kE; suff e : KL ln q (p_order k tau) =
    \sum_(j < N) conditional_TC (block tau j) (before tau j) by split.
rewrite KL_order // [RHS]sumrB; congr (_ - _).
  exact/esym/(sum_blocks tau (fun j i => H(i | before tau j))).
transitivity (H (before tau N) - H (before tau 0)).
  have -> : before tau N = setT by apply/setP => i; rewrite !inE ltn_ord.
  have -> : before tau 0 = set0 by apply/setP => i; rewrite !inE. by rewrite entropy0 subr0.
rewrite -(telescope_sumr (fun j => H (before tau j))) // big_mkord. apply: eq_bigr => j _; congr (H _ - _).
by apply/setP => i; rewrite !inE ltnS leq_eqVlt orbC.
Qed.

(* E KL(q(.|X_T) || p(.|X_T)) = E [ln q(X_i|X_T) - ln p(X_i|X_T)]. *)
Lemma mean_error p S i : local p ->
  \sum_x q x * KL ln (cond q S i x) (p S i x)
    = \sum_x q x * (ln (cond q S i x (x i)) - ln (p S i x (x i))).
Proof.
move=> pl; rewrite (@tower R I V q S i (fun x v => ln (cond q S i x v) - ln (p S i x v))) //.
by move=> x y e v; rewrite (eq_cond q i e) (pl S i x y e).
Qed.

(* Learning error adds, for one order. *)
Lemma order_error k p tau : exact q k -> local p -> positive q p ->
  KL ln q (p_order p tau) = KL ln q (p_order k tau) +
    \sum_i \sum_x q x * KL ln (cond q (before tau (tau i)) i x) (p (before tau (tau i)) i x).
Proof.
move=> kE pl p0; have k0 := exact_positive kE.
rewrite (eq_bigr _ (fun i _ => mean_error (before tau (tau i)) i pl)) exchange_big /= -big_split /=.
apply: eq_bigr => x _; rewrite -mulr_sumr -mulrDr.
have := law_ge0 q x; rewrite le_eqVlt => /predU1P[<-|qx]; first by rewrite !mul0r.
congr (_ * _); rewrite (ln_p_order ln tau p0 qx) (ln_p_order ln tau k0 qx) sumrB.
rewrite (eq_bigr _ (fun i _ => congr1 ln (kE (before tau (tau i)) i x (x i) (mass_gt0 _ qx)))).
by rewrite addrA subrK.
Qed.

(* Orders tau_1, tau_2, ... with probabilities P. *)
Variables (J : finType) (P : law R J) (tau : J -> I -> 'I_N).

(* learned-additivity *)
Theorem learned_additivity k p : exact q k -> local p -> positive q p ->
  \sum_j P j * KL ln q (p_order p (tau j)) = \sum_j P j * KL ln q (p_order k (tau j)) +
    \sum_i \sum_j P j * (\sum_x q x *
      KL ln (cond q (before (tau j) (tau j i)) i x) (p (before (tau j) (tau j i)) i x))
  /\ forall eps, (forall S i x, i \notin S -> 0 < q x -> KL ln (cond q S i x) (p S i x) <= eps) ->
  \sum_j P j * KL ln q (p_order p (tau j))
    <= \sum_j P j * KL ln q (p_order k (tau j)) + #|I|%:R * eps.
Proof.
move=> kE pl p0; have e : \sum_j P j * KL ln q (p_order p (tau j)) =
    \sum_j P j * KL ln q (p_order k (tau j)) + \sum_i \sum_j P j * \sum_x q x *
      KL ln (cond q (before (tau j) (tau j i)) i x) (p (before (tau j) (tau j i)) i x).
  rewrite exchange_big /= -big_split /=; apply: eq_bigr => j _.
  by rewrite (order_error (tau j) kE pl p0) mulrDr mulr_sumr.
split=> // eps small; rewrite e ler_add2l mulr_natl -sumr_const; apply: ler_sum => i _.
rewrite -[leRHS](mean_const P); apply: le_mean => j _.
by rewrite -[leRHS](mean_const q); apply: le_mean => x qx; apply: small => //; rewrite inE ltnn.
Qed.

(* marginal-below-trajectory; p_tau may be any laws that give every possible text a positive probability *)
Theorem marginal_below_trajectory (p : J -> {ffun I -> V} -> R) :
  (forall j x, 0 < q x -> 0 < p j x) ->
  let written x := \sum_j P j * p j x in
  let posterior x j := P j * p j x / written x in
  \sum_j P j * KL ln q (p j) - KL ln q written = \sum_x q x * KL ln P (posterior x)
  /\ 0 <= \sum_x q x * KL ln P (posterior x).
Proof.
move=> p0 written posterior. have w0 x : 0 < q x -> 0 < written x.
  move=> qx; have [j Pj] := support P.
  rewrite /written (bigD1 j) //=; apply: ltr_paddr; last by rewrite mulr_gt0 ?p0.
  by apply: sumr_ge0 => j' _; rewrite mulr_ge0 ?law_ge0 // ltW // p0.
split; last first.
  apply: (@le_trans _ _ (\sum_x q x * 0)); first by rewrite mean_const.
  apply: le_mean => x qx; apply: gibbs => [j|j|j Pj|]; rewrite ?law_ge0 //.
  - by rewrite divr_ge0 ?mulr_ge0 ?law_ge0 // ltW // ?p0 ?w0.
  - by rewrite divr_gt0 ?mulr_gt0 ?p0 ?w0. by rewrite -mulr_suml divff ?law_sum1 // gt_eqF ?w0.
rewrite /KL; under eq_bigr do rewrite mulr_sumr. rewrite exchange_big /= -sumrB; apply: eq_bigr => x _.
have := law_ge0 q x; rewrite le_eqVlt => /predU1P[<-|qx].
  by rewrite !mul0r subr0 big1 // => j _; rewrite mul0r mulr0.
under eq_bigr do rewrite mulrCA.
rewrite -mulr_sumr -mulrBr; congr (_ * _); rewrite -[X in _ - X](mean_const P) -sumrB.
apply: eq_bigr => j _; rewrite -mulrBr.
have := law_ge0 P j; rewrite le_eqVlt => /predU1P[<-|Pj]; first by rewrite !mul0r.
congr (_ * _); rewrite ln_div ?mulr_gt0 ?p0 ?w0 // lnM ?p0 //.
transitivity (ln (written x) - ln (p j x)); first by rewrite opprB addrC addrA subrK.
by move: (ln (P j)) (ln (p j x)) (ln (written x)) => a b c; rewrite opprB addrCA opprD addNKr.
Qed.

End Trajectory.
