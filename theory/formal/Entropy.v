(* Entropies of the words of a language.

   I, V          the positions and the symbols, finite sets; a word is a function x : I -> V
   q             a law on words (zeros allowed)
   entropy q S   H(X_S), the Shannon entropy of the marginal law of q on the positions S
   Hc q i S      H(X_i | X_S) = H(X_{S u i}) - H(X_S)
   TC, DTC       total and dual total correlation
   mass q S x    q(X_S = x_S);   cond q S i x v   q(X_i = v | X_S = x_S)                      theory/notation.md *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

(* The words: the functions from positions to symbols. *)
Notation word I V := [finType of {ffun I -> V}].

Section Entropy.
Variables (R : realFieldType) (ln : logarithm R) (I V : finType) (q : law R (word I V)).
Implicit Types (i : I) (v : V) (S T : {set I}) (x y : {ffun I -> V}).

(* The word x read on S alone; its marginal law; its entropy. *)
Definition restr S x : {ffun {i : I | i \in S} -> V} := [ffun i => x (val i)].
Definition marg S (z : {ffun {i : I | i \in S} -> V}) := \sum_(x | restr S x == z) q x.
Definition entropy S := - \sum_(z : {ffun {i : I | i \in S} -> V}) marg z * ln (marg z).
Definition Hc i S := entropy (i |: S) - entropy S.
Definition TC := \sum_i entropy [set i] - entropy setT.
Definition DTC := entropy setT - \sum_i Hc i (setT :\ i).

(* x and y agree on S; the mass of x_S; the conditional law of X_i given X_S = y_S. *)
Definition agree S x y := restr S x == restr S y.
Definition mass S x := marg (restr S x).
Definition cond S i y v := (\sum_(x | agree S x y && (x i == v)) q x) / mass S y.

Lemma agreeP S x y : reflect {in S, x =1 y} (agree S x y).
Proof.
apply: (iffP eqP) => [/ffunP e i iS | e].
  by have := e (exist _ i iS); rewrite !ffunE.
by apply/ffunP => -[i iS]; rewrite !ffunE e.
Qed.

Lemma agree_sym S x y : agree S x y = agree S y x.
Proof. exact: eq_sym. Qed.

Lemma agree_sub S T x y : S \subset T -> agree T x y -> agree S x y.
Proof. by move=> /subsetP ST /agreeP e; apply/agreeP => i /ST/e. Qed.

Lemma agreeU1 S i x y : agree (i |: S) x y = agree S x y && (x i == y i).
Proof.
apply/agreeP/andP => [e | [/agreeP e /eqP ei] j /setU1P[->|/e]] //. split; last by rewrite e ?setU11.
by apply/agreeP => j jS; apply: e; rewrite setU1r.
Qed.

Lemma eq_mass S x y : agree S x y -> mass S x = mass S y.
Proof. by rewrite /mass => /eqP->. Qed.

Lemma mass_ge0 S x : 0 <= mass S x.
Proof. by apply: sumr_ge0 => y _; apply: law_ge0. Qed.

Lemma mass_gt0 S x : 0 < q x -> 0 < mass S x.
Proof.
move=> qx; rewrite /mass /marg (bigD1 x) //=.
by apply: (lt_le_trans qx); rewrite ler_addl sumr_ge0 // => y _; apply: law_ge0.
Qed.

(* q(X_0 = x_0) = 1 for the empty set of positions, and q(X = x) = q(x) for all of them. *)
Lemma mass0 x : mass set0 x = 1.
Proof. rewrite -(law_sum1 q); apply: eq_bigl => y. by apply/(@agreeP set0) => i; rewrite inE. Qed.

Lemma massT x : mass setT x = q x.
Proof.
rewrite /mass /marg (big_pred1 x) // => y /=; apply/(@agreeP setT)/eqP=> [e|->//].
by apply/ffunP => i; apply: e; rewrite inE.
Qed.

(* H(X_S) = - E ln q(X_S). *)
Lemma entropyE S : entropy S = - \sum_x q x * ln (mass S x).
Proof.
congr (- _); rewrite [RHS](partition_big (restr S) xpredT) //=.
apply: eq_bigr => z _; rewrite {1}/marg mulr_suml. by apply: eq_bigr => x /eqP <-.
Qed.

Lemma entropy0 : entropy set0 = 0.
Proof. by rewrite entropyE big1 ?oppr0 // => x _; rewrite mass0 ln1 mulr0. Qed.

Lemma cond_ge0 S i x v : 0 <= cond S i x v.
Proof. by rewrite divr_ge0 ?mass_ge0 ?sumr_ge0 // => y _; apply: law_ge0. Qed.

(* q(x_i | x_S) = q(x_{S u i}) / q(x_S). *)
Lemma cond_diag S i x : cond S i x (x i) = mass (i |: S) x / mass S x.
Proof. by congr (_ / _); apply: eq_bigl => y; rewrite -/(agree _ _ _) agreeU1. Qed.

Lemma sum_cond S i x : 0 < mass S x -> \sum_v cond S i x v = 1.
Proof.
move=> m0; rewrite -mulr_suml -(partition_big (fun y : {ffun I -> V} => y i) xpredT) //=.
by rewrite divff // gt_eqF.
Qed.

Lemma cond_diag_gt0 S i x : 0 < q x -> 0 < cond S i x (x i).
Proof. by move=> qx; rewrite cond_diag divr_gt0 ?mass_gt0. Qed.

(* H(X_i | X_S) = - E ln q(X_i | X_S). *)
Lemma HcE i S : Hc i S = - \sum_x q x * ln (cond S i x (x i)).
Proof.
rewrite /Hc !entropyE -opprD -sumrB; congr (- _). under eq_bigr do rewrite -mulrBr.
by apply: eq_mean => x qx; rewrite cond_diag ln_div ?mass_gt0.
Qed.

(* Tower property: E F(X, X_i) = E sum_v q(v | X_T) F(X, v) for F that sees X only through X_T. *)
Lemma tower T i (F : {ffun I -> V} -> V -> R) :
  (forall x y, agree T x y -> F x =1 F y) ->
  \sum_x q x * F x (x i) = \sum_x q x * \sum_v cond T i x v * F x v.
Proof.
move=> FT. transitivity (\sum_x \sum_(y | agree T y x) q x / mass T x * (q y * F x (y i))).
  rewrite (exchange_big_dep xpredT) //=; apply: eq_bigr => y _.
  have := law_ge0 q y; rewrite le_eqVlt => /predU1P[<-|qy].
    by rewrite mul0r big1 // => x _; rewrite mul0r mulr0.
  transitivity (\sum_(x | agree T x y) q x * (q y * F y (y i) / mass T y)).
    rewrite -mulr_suml mulrCA divff ?mulr1 //. by rewrite gt_eqF ?(mass_gt0 T).
  rewrite (eq_bigl _ _ (fun x => agree_sym T x y)). apply: eq_bigr => x e; rewrite -(FT _ _ e) -(eq_mass e).
  by rewrite mulrA [q x / _ * _]mulrAC -!mulrA.
apply: eq_bigr => x _; rewrite -mulr_sumr -mulrA; congr (_ * _).
rewrite (partition_big (fun y : {ffun I -> V} => y i) xpredT) //= mulr_sumr.
apply: eq_bigr => v _; rewrite /cond mulrAC [LHS]mulrC; congr (_ / _).
by rewrite mulr_suml; apply: eq_bigr => y /andP[_ /eqP->].
Qed.

Lemma eq_cond S i x y : agree S x y -> cond S i x =1 cond S i y.
Proof. by move=> e v; rewrite /cond (eq_mass e) /agree (eqP e). Qed.

(* Fewer positions, more mass: q(X_T = x_T) <= q(X_S = x_S) for S inside T. *)
Lemma mass_sub S T x : S \subset T -> mass T x <= mass S x.
Proof.
move=> ST; rewrite [leLHS]big_mkcond [leRHS]big_mkcond; apply: ler_sum => y _.
case: ifP => [e|_]; last by case: ifP => // _; apply: law_ge0.
by rewrite [X in if X then _ else _](agree_sub ST e).
Qed.

(* Conditioning reduces entropy: H(X_i | X_T) <= H(X_i | X_S) for S inside T. *)
Theorem Hc_antimono i S T : S \subset T -> Hc i T <= Hc i S.
Proof.
move=> ST; rewrite !HcE ler_opp2 -subr_ge0 -sumrB. under eq_bigr do rewrite -mulrBr.
rewrite (@tower T i (fun x v => ln (cond T i x v) - ln (cond S i x v))); last first.
  by move=> x y e v; rewrite (eq_cond i e) (eq_cond i (agree_sub ST e)).
apply: sumr_ge0 => x _; have := law_ge0 q x; rewrite le_eqVlt => /predU1P[<-|qx].
  by rewrite mul0r.
have mS := mass_gt0 S qx; have mT := mass_gt0 T qx.
rewrite mulr_ge0 ?law_ge0 //; apply: gibbs => [v|v|v|]; rewrite ?cond_ge0 ?sum_cond //.
rewrite !ltr_pdivl_mulr // !mul0r => /lt_le_trans; apply.
rewrite [leLHS]big_mkcond [leRHS]big_mkcond; apply: ler_sum => y _.
case: ifP => [/andP[e ->]|_]; first by rewrite (agree_sub ST e). by case: ifP => // _; apply: law_ge0.
Qed.

End Entropy.
