(* Logarithms and laws: what every other file starts from.

   logarithm R   a function ln : R -> R on an ordered field R with ln(xy) = ln x + ln y and ln x <= x - 1 for x, y > 0.
                 On the positive reals there is exactly one such function, the natural logarithm (Reals.v proves that it is one).
   law R A       a probability law on the finite set A: a >= 0 for each point, sum 1. Zeros are allowed.
   KL ln q p     sum over a of q(a) (ln q(a) - ln p(a)), with the convention 0 ln 0 = 0. *)
From mathcomp Require Import all_ssreflect all_algebra.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Structure logarithm (R : realFieldType) := Logarithm {
  ln_of :> R -> R;
  lnM : forall x y, 0 < x -> 0 < y -> ln_of (x * y) = ln_of x + ln_of y;
  ln_le : forall x, 0 < x -> ln_of x <= x - 1 }.

Structure law (R : realFieldType) (A : finType) := Law {
  probability :> A -> R;
  law_ge0 : forall a, 0 <= probability a;
  law_sum1 : \sum_a probability a = 1 }.

Definition KL (R : realFieldType) (ln : logarithm R) (A : finType) (q p : A -> R) :=
  \sum_a q a * (ln (q a) - ln (p a)).

Section Logarithm.
Variables (R : realFieldType) (ln : logarithm R).

(* ln 1 = 0. *)
Lemma ln1 : ln 1 = 0.
Proof. by move: (lnM ln ltr01 ltr01); rewrite mulr1 => /eqP; rewrite -subr_eq subrr eq_sym => /eqP. Qed.

(* ln (x/y) = ln x - ln y. *)
Lemma ln_div x y : 0 < x -> 0 < y -> ln (x / y) = ln x - ln y.
Proof. move=> x0 y0; apply/eqP; rewrite eq_sym subr_eq -lnM ?divr_gt0 //. by rewrite divfK // gt_eqF. Qed.

(* ln is strictly increasing. *)
Lemma ln_lt x y : 0 < x -> x < y -> ln x < ln y.
Proof.
move=> x0 xy; have y0 := lt_trans x0 xy; rewrite -subr_lt0 -ln_div //.
by apply: le_lt_trans (ln_le ln (divr_gt0 x0 y0)) _; rewrite subr_lt0 ltr_pdivr_mulr ?mul1r.
Qed.

Lemma ler_ln x y : 0 < x -> 0 < y -> (ln x <= ln y) = (x <= y).
Proof.
move=> x0 y0; apply/idP/idP; first by apply: contraTT; rewrite -!ltNge; exact: ln_lt.
by rewrite le_eqVlt => /predU1P[->//|/(ln_lt x0)/ltW].
Qed.

(* ln of a product of positive numbers is the sum of the logarithms. *)
Lemma ln_prod (J : finType) (P : pred J) (F : J -> R) :
  (forall j, P j -> 0 < F j) ->
  ln (\prod_(j | P j) F j) = \sum_(j | P j) ln (F j).
Proof.
move=> F0; pose K a b := 0 < a /\ ln a = b. suff []: K (\prod_(j | P j) F j) (\sum_(j | P j) ln (F j)) by [].
apply: (big_rec2 K); first by rewrite /K ltr01 ln1.
by move=> j b a Pj [a0 <-]; split; [rewrite mulr_gt0 ?F0 | rewrite lnM ?F0].
Qed.

(* Gibbs' inequality, for masses with sum r <= sum p: sum p (ln p - ln r) >= 0. *)
Lemma gibbs (A : finType) (p r : A -> R) :
  (forall a, 0 <= p a) -> (forall a, 0 <= r a) ->
  (forall a, 0 < p a -> 0 < r a) -> \sum_a r a <= \sum_a p a ->
  0 <= \sum_a p a * (ln (p a) - ln (r a)).
Proof.
move=> p0 r0 pr rp; apply: (@le_trans _ _ (\sum_a (p a - r a))).
  by rewrite sumrB subr_ge0.
apply: ler_sum => a _; have := p0 a; rewrite le_eqVlt => /predU1P[<-|pa].
  by rewrite mul0r sub0r oppr_le0.
have ra := pr _ pa. have h : p a * (ln (r a) - ln (p a)) <= r a - p a.
  have -> : r a - p a = p a * (r a / p a - 1).
    by rewrite mulrBr mulr1 mulrCA divff ?gt_eqF // mulr1.
  by rewrite ler_pmul2l // -ln_div // ln_le // divr_gt0.
by rewrite -ler_opp2 -mulrN !opprB.
Qed.

(* The divergence of two laws is not negative. *)
Corollary KL_ge0 (A : finType) (p r : law R A) :
  (forall a, 0 < p a -> 0 < r a) -> 0 <= KL ln p r.
Proof. by move=> pr; apply: gibbs; rewrite ?law_sum1 //; apply: law_ge0. Qed.

(* Log-sum inequality: P (ln P - ln Q) <= sum p (ln p - ln r) for the total masses P, Q of p, r. *)
Lemma log_sum (A : finType) (p r : A -> R) :
  (forall a, 0 <= p a) -> (forall a, 0 <= r a) ->
  (forall a, 0 < p a -> 0 < r a) ->
  (\sum_a p a) * (ln (\sum_a p a) - ln (\sum_a r a))
    <= \sum_a p a * (ln (p a) - ln (r a)).
Proof.
move=> p0 r0 pr; set P := \sum_a p a; set Q := \sum_a r a. have P0 : 0 <= P by apply: sumr_ge0.
have := P0; rewrite le_eqVlt => /predU1P[P_eq|Pgt].
  have pz a : p a = 0.
    by apply/eqP; move/esym/eqP: P_eq; rewrite psumr_eq0 // => /allP/(_ a); apply; rewrite mem_index_enum.
  by rewrite -P_eq mul0r big1 // => a _; rewrite pz mul0r.
have Qgt : 0 < Q.
  rewrite lt_neqAle sumr_ge0 // andbT; apply: contraTN Pgt => /eqP Q0.
  rewrite -leNgt le_eqVlt; apply/orP; left; apply/eqP; apply: big1 => a _.
  apply/eqP; move/esym/eqP: Q0; rewrite psumr_eq0 // => /allP/(_ a).
  rewrite mem_index_enum => /(_ isT) /= ra0; apply: contraTT (ra0) => pa0.
  by rewrite gt_eqF // pr // lt_neqAle eq_sym pa0 p0.
have := @gibbs A p (fun a => r a * (P / Q)).
rewrite -mulr_suml -/P -/Q mulrCA divff ?gt_eqF // mulr1 => /(_ p0) H.
rewrite -subr_ge0; apply: (le_trans (H _ _ _)) => //.
- by move=> a; rewrite mulr_ge0 // divr_ge0 // ltW.
- by move=> a /pr ra; rewrite mulr_gt0 // divr_gt0.
have -> : P * (ln P - ln Q) = \sum_a p a * (ln P - ln Q) by rewrite mulr_suml.
rewrite -sumrB; apply: ler_sum => a _.
have := p0 a; rewrite le_eqVlt => /predU1P[<-|/pr ra]; first by rewrite !mul0r subr0.
rewrite lnM ?divr_gt0 // ln_div // -mulrBr ler_wpmul2l //. by rewrite opprD addrA.
Qed.

(* Some point has positive probability. *)
Lemma support (A : finType) (q : law R A) : exists a, 0 < q a.
Proof.
apply/existsP; rewrite -[[exists _, _]]negbK negb_exists; apply/negP => /forallP qz.
move: (law_sum1 q); rewrite big1 => [/eqP|a _]; first by rewrite eq_sym oner_eq0.
by apply/eqP; rewrite eq_le law_ge0 andbT leNgt.
Qed.

(* Sums against q only see points of positive probability. *)
Lemma eq_mean (A : finType) (q : law R A) (F G : A -> R) :
  (forall a, 0 < q a -> F a = G a) -> \sum_a q a * F a = \sum_a q a * G a.
Proof.
move=> FG; apply: eq_bigr => a _.
by have := law_ge0 q a; rewrite le_eqVlt => /predU1P[<-|/FG->]; rewrite ?mul0r.
Qed.

Lemma le_mean (A : finType) (q : law R A) (F G : A -> R) :
  (forall a, 0 < q a -> F a <= G a) -> \sum_a q a * F a <= \sum_a q a * G a.
Proof.
move=> FG; apply: ler_sum => a _.
by have := law_ge0 q a; rewrite le_eqVlt => /predU1P[<-|qa]; rewrite ?mul0r // ler_pmul2l // FG.
Qed.

Lemma mean_const (A : finType) (q : law R A) c : \sum_a q a * c = c.
Proof. by rewrite -mulr_suml law_sum1 mul1r. Qed.

End Logarithm.
