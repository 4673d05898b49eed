(* Samplers that look at what they write. theory/decoding/derivation.md.

   drawn p1 p2 u w   what drawn confidence writes on two independent tokens with laws p1, p2, one token per call:
                     candidates z1, z2 are drawn at both masks, the one of larger probability is kept (position 1 when
                     they are equal), and the other token is drawn afresh
   write n S y x     one token per call: in the state (S revealed, text y) the rule chooses a mask, its token is drawn
                     from the exact conditional law; the probability that n such calls end in the text x *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm Entropy.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Drawn.
Variables (R : realFieldType) (V : finType).
Implicit Types (p : law R V) (u w : V).

Definition drawn p1 p2 u w := \sum_z1 \sum_z2 p1 z1 * p2 z2 *
  (if p2 z2 <= p1 z1 then (z1 == u)%:R * p2 w else (z2 == w)%:R * p1 u).

Definition faithful p1 p2 := forall u w, drawn p1 p2 u w = p1 u * p2 w.

Lemma drawnE p1 p2 u w : drawn p1 p2 u w =
  p1 u * p2 w * (\sum_(y | p2 y <= p1 u) p2 y + \sum_(x | p1 x < p2 w) p1 x).
Proof.
rewrite /drawn mulrDr !mulr_sumr.
rewrite (eq_bigr (fun z1 => \sum_(z2 | p2 z2 <= p1 z1) p1 z1 * p2 z2 * ((z1 == u)%:R * p2 w) +
  \sum_(z2 | ~~ (p2 z2 <= p1 z1)) p1 z1 * p2 z2 * ((z2 == w)%:R * p1 u))) => [|z1 _]; last first.
  rewrite (bigID (fun z2 => p2 z2 <= p1 z1)) /=; congr (_ + _); apply: eq_bigr => z2.
    by move->.
  by move/negbTE->.
rewrite big_split /=; congr (_ + _).
  rewrite (bigD1 u) //= [X in _ + X]big1 ?addr0 => [|z1 /negbTE z1u]; last first.
    by apply: big1 => z2 _; rewrite z1u mul0r mulr0.
  by apply: eq_bigr => z2 _; rewrite eqxx mul1r mulrAC.
rewrite [RHS]big_mkcond; apply: eq_bigr => z1 _; rewrite big_mkcond (bigD1 w) //= big1 ?addr0 => [|z2 z2w]; last first.
  by rewrite (negbTE z2w) mul0r mulr0 if_same.
by rewrite -ltNge eqxx mul1r; case: ifP => // _; rewrite [RHS]mulrC mulrA mulrAC.
Qed.

(* If the probability of an event is one, the event holds at every possible point. *)
Lemma sum_full p (E : pred V) : \sum_(y | E y) p y = 1 -> forall y, 0 < p y -> E y.
Proof.
move=> full y py; apply: contraT => nEy; have := law_sum1 p; rewrite (bigID E) /= full => /eqP.
rewrite -subr_eq0 addrC addKr psumr_eq0 => [|z _]; last exact: law_ge0.
by move/allP/(_ y (mem_index_enum y)); rewrite nEy gt_eqF.
Qed.

Lemma sum_on_support p (E : pred V) : (forall y, 0 < p y -> E y) -> \sum_(y | E y) p y = 1.
Proof.
move=> pE; rewrite -(law_sum1 p) [RHS](bigID E) /= [X in _ + X]big1 ?addr0 // => y nE.
by apply/eqP; rewrite eq_le law_ge0 andbT leNgt; apply: contra nE; apply: pE.
Qed.

Lemma sum_off_support p (E : pred V) : (forall y, 0 < p y -> ~~ E y) -> \sum_(y | E y) p y = 0.
Proof.
move=> pE; apply: big1 => y Ey; apply/eqP; rewrite eq_le law_ge0 andbT leNgt. by apply/negP => /pE; rewrite Ey.
Qed.

(* drawn-confidence-biased: the formula, and when it is exact *)
Theorem drawn_confidence_biased p1 p2 :
  (forall u w, drawn p1 p2 u w =
    p1 u * p2 w * (\sum_(y | p2 y <= p1 u) p2 y + \sum_(x | p1 x < p2 w) p1 x))
  /\ (faithful p1 p2 <->
    (forall u w, 0 < p1 u -> 0 < p2 w -> p2 w <= p1 u) \/
    (forall u w, 0 < p1 u -> 0 < p2 w -> p1 u < p2 w))
  /\ (faithful p1 p1 <-> forall u w, 0 < p1 u -> 0 < p1 w -> p1 u = p1 w).
Proof.
have iff p p' : faithful p p' <->
    (forall u w, 0 < p u -> 0 < p' w -> p' w <= p u) \/
    (forall u w, 0 < p u -> 0 < p' w -> p u < p' w); last first.
  split; first exact: drawnE. split; first exact: iff. split=> [/iff[le u w pu pw|lt u w pu pw]|same].
  - by apply: le_anti; rewrite !le.
  - by have := lt u u pu pu; rewrite ltxx. by apply/iff; left=> u w pu pw; rewrite (same u w).
pose F u := \sum_(y | p' y <= p u) p' y; pose G w := \sum_(x | p x < p' w) p x. split=> [faith|[le|lt] u w].
- have FG u w : 0 < p u -> 0 < p' w -> F u + G w = 1.
    move=> pu pw; have := faith u w; rewrite drawnE -[RHS]mulr1; apply: mulfI. by rewrite mulf_neq0 ?lt0r_neq0.
  have [u0 pu0] := support p; have [w0 pw0] := support p'. have [F1|nF1] := eqVneq (F u0) 1.
    have Gw u w : 0 < p u -> 0 < p' w -> F u = 1.
      by move=> pu pw; rewrite -F1; apply: (addIr (G w)); rewrite !FG.
    by left=> u w pu pw; have := sum_full (Gw u w pu pw) pw.
  have Fc u : 0 < p u -> F u = F u0.
    by move=> pu; apply: (addIr (G w0)); rewrite !FG.
  have [um pum um_max] : exists2 um, 0 < p um & forall x, p x <= p um.
    case: (@arg_maxP _ R V u0 xpredT p isT) => um _ um_max; exists um => [|x]; last exact: (um_max x isT).
    exact: lt_le_trans pu0 (um_max u0 isT).
  have [w pw big] : exists2 w, 0 < p' w & p um < p' w.
    have [/existsP[w /andP[? ?]]|none] := boolP [exists w, (0 < p' w) && (p um < p' w)]; first by exists w.
    case/eqP: nF1; rewrite -(Fc um pum); apply: sum_on_support => y py; rewrite leNgt.
    by apply: contra none => h; apply/existsP; exists y; rewrite py.
  have G1 : G w = 1 by apply: sum_on_support => x _; apply: le_lt_trans (um_max x) big.
  right=> u w' pu pw'; rewrite ltNge; apply/negP => le.
  have F0 : F u = 0 by apply: (addIr (G w)); rewrite FG // add0r G1.
  have : p' w' <= F u by rewrite /F (bigD1 w') //= ler_addl; apply: sumr_ge0 => y _; apply: law_ge0.
  by rewrite F0 leNgt pw'.
- have [pu|pu] := eqVneq (p u) 0; first by rewrite drawnE pu !mul0r.
  have [pw|pw] := eqVneq (p' w) 0; first by rewrite drawnE pw mulr0 mul0r.
  have u0 : 0 < p u by rewrite lt_neqAle eq_sym pu law_ge0.
  have w0 : 0 < p' w by rewrite lt_neqAle eq_sym pw law_ge0.
  rewrite drawnE (sum_on_support (E := fun y => p' y <= p u)) => [|y py]; last exact: le.
  rewrite (sum_off_support (E := fun x => p x < p' w)) ?addr0 ?mulr1 // => x px. by rewrite -leNgt le.
have [pu|pu] := eqVneq (p u) 0; first by rewrite drawnE pu !mul0r.
have [pw|pw] := eqVneq (p' w) 0; first by rewrite drawnE pw mulr0 mul0r.
have u0 : 0 < p u by rewrite lt_neqAle eq_sym pu law_ge0.
have w0 : 0 < p' w by rewrite lt_neqAle eq_sym pw law_ge0.
rewrite drawnE (sum_off_support (E := fun y => p' y <= p u)) => [|y py]; last by rewrite -ltNge lt.
by rewrite (sum_on_support (E := fun x => p x < p' w)) ?add0r ?mulr1 // => x px; apply: lt.
Qed.

End Drawn.

Section OneTokenPerCall.
Variables (R : realFieldType) (I V : finType) (q : law R (word I V)).
Implicit Types (S : {set I}) (x y : {ffun I -> V}).

(* The rule: which mask comes next, as a function of what is revealed and of the text so far. *)
Variable choose : {set I} -> {ffun I -> V} -> I.
Hypothesis choose_mask : forall S y, S != setT -> choose S y \notin S.

Definition put y (i : I) (v : V) : {ffun I -> V} := [ffun j => if j == i then v else y j].

Fixpoint write (n : nat) S y x : R :=
  if n is m.+1 then
    let i := choose S y in \sum_v cond q S i y v * write m (i |: S) (put y i v) x
  else (x == y)%:R.

Lemma writeE n S y x : #|~: S| = n -> 0 < mass q S y ->
  write n S y x = (agree S x y)%:R * q x / mass q S y.
Proof.
elim: n S y => [|n IH] S y cS m0 /=.
  have ST : S = setT by apply/setP => i; have := in_setC i S; rewrite (cards0_eq cS) !inE => /esym/negbFE.
  move: m0; rewrite ST massT => qy; have [->|ne] := eqVneq x y.
    by rewrite /agree eqxx mul1r divff // gt_eqF.
  case: (boolP (agree setT x y)) => [/agreeP e|_]; last by rewrite !mul0r.
  by case/eqP: ne; apply/ffunP => i; apply: e; rewrite inE.
have ST : S != setT by apply: contraTneq isT => ST; move: cS; rewrite ST setCT cards0.
set i := choose S y; have iS : i \notin S := choose_mask y ST. have cS' : #|~: (i |: S)| = n.
  apply/eqP; rewrite -(eqn_add2l #|i |: S|) cardsC cardsU1 iS -addnA.
  by rewrite [(#|S| + n)%N]addnC addnA add1n -cS addnC cardsC.
have put_S v : agree S (put y i v) y.
  by apply/agreeP => j jS; rewrite ffunE; case: eqP => // ji; rewrite ji (negbTE iS) in jS.
have condE v : cond q S i y v = mass q (i |: S) (put y i v) / mass q S y.
  rewrite -(eq_mass q (put_S v)) -(eq_cond q i (put_S v) v) -cond_diag.
  by congr (cond _ _ _ _ _); rewrite ffunE eqxx.
have term v : cond q S i y v * write n (i |: S) (put y i v) x
    = (agree S x y && (x i == v))%:R * q x / mass q S y.
  have a : agree (i |: S) x (put y i v) = agree S x y && (x i == v).
    by rewrite agreeU1 ffunE eqxx; congr (_ && _); rewrite /agree (eqP (put_S v)).
  have [m|m] := boolP (0 < mass q (i |: S) (put y i v)).
    by rewrite IH // condE a [LHS]mulrC mulrA divfK // gt_eqF.
  have z : mass q (i |: S) (put y i v) = 0 by apply/eqP; rewrite eq_le mass_ge0 andbT leNgt.
  rewrite condE z !mul0r; apply/esym; case: (boolP (_ && _)) => [h|_]; last by rewrite !mul0r.
  suff -> : q x = 0 by rewrite mulr0 mul0r. apply/eqP; rewrite eq_le law_ge0 andbT leNgt; apply/negP => qx.
  by have := mass_gt0 (i |: S) qx; rewrite (eq_mass q (_ : agree _ x (put y i v))) ?z ?ltxx ?a.
under eq_bigr do rewrite term. rewrite (bigD1 (x i)) //= eqxx andbT big1 ?addr0 // => v vx.
by rewrite eq_sym (negbTE vx) andbF !mul0r.
Qed.

(* drawn-confidence-biased, its last sentence: a rule that chooses the position before it draws writes q *)
Theorem one_token_per_call_exact y x : write #|I| set0 y x = q x.
Proof.
rewrite writeE ?setC0 ?cardsT // ?mass0 ?ltr01 // divr1.
by rewrite (_ : agree _ _ _) ?mul1r //; apply/agreeP => i; rewrite inE.
Qed.

End OneTokenPerCall.

Section JointMode.
Variables (R : realFieldType) (U V : finType).
Implicit Types (q : law R (word U V)) (v w : {ffun U -> V}).

(* eps_l = 1 - P(X_l = v_l). *)
Definition doubt q v l := 1 - \sum_(x : {ffun U -> V} | x l == v l) q x.

(* greedy-joint-mode; q is the law of the tokens of U given the state *)
Theorem greedy_joint_mode q v :
  (forall l, \sum_i doubt q v i + doubt q v l < 1) -> forall w, w != v -> q w < q v.
Proof.
move=> small w wv; have doubtE l : doubt q v l = \sum_(x : {ffun U -> V} | x l != v l) q x.
  by rewrite /doubt -(law_sum1 q) (bigID (fun x : {ffun U -> V} => x l == v l)) /= addrAC subrr add0r.
have [l wl] : exists l, w l != v l.
  by apply/existsP; apply: contraNT wv => /existsPn e; apply/eqP/ffunP => l; apply/eqP/negPn/e.
have q_w : q w <= doubt q v l.
  by rewrite doubtE (bigD1 w) //= ler_addl; apply: sumr_ge0 => x _; apply: law_ge0.
have q_v : 1 - \sum_i doubt q v i <= q v.
  rewrite ler_subl_addr -(law_sum1 q) (bigD1 v) //= ler_add2l.
  rewrite (eq_bigr _ (fun i _ => doubtE i)) (exchange_big_dep (fun x => x != v)) /=; last first.
    by move=> i x _; apply: contraNneq => ->.
  apply: ler_sum => x xv; have [i xi] : exists i, x i != v i.
    by apply/existsP; apply: contraNT xv => /existsPn e; apply/eqP/ffunP => i; apply/eqP/negPn/e.
  by rewrite (bigD1 i) //= ler_addl; apply: sumr_ge0 => *; apply: law_ge0.
apply: le_lt_trans q_w _; apply: lt_le_trans q_v. by rewrite ltr_subr_addl.
Qed.

End JointMode.

(* greedy-joint-mode, "at equality it need not be": one fair coin, sum + max = 1, and both words have mass 1/2. *)
Section FairCoin.
Variable R : realFieldType.
Definition coin_pr (x : word 'I_1 bool) : R := 2%:R^-1.

Lemma coin_ge0 x : 0 <= coin_pr x. Proof. by rewrite invr_ge0 ler0n. Qed.
Lemma coin_sum1 : \sum_x coin_pr x = 1.
Proof. by rewrite sumr_const card_ffun card_bool card_ord expn1 -[_ *+ _]mulr_natl divff // pnatr_eq0. Qed.
Definition coin := Law coin_ge0 coin_sum1.

Theorem greedy_joint_mode_tie : exists v w : word 'I_1 bool,
  [/\ w != v, coin w = coin v & forall l, \sum_i doubt coin v i + doubt coin v l = 1].
Proof.
exists [ffun=> true], [ffun=> false]; split=> // [|l].
  by apply/eqP => /ffunP/(_ ord0); rewrite !ffunE.
have half : doubt coin [ffun=> true] ord0 = 2%:R^-1.
  rewrite /doubt (big_pred1 [ffun=> true]) => [|x /=].
    by apply/eqP; rewrite subr_eq -mulr2n -[_ *+ _]mulr_natl divff ?pnatr_eq0.
  by apply/eqP/eqP => [e|->//]; apply/ffunP => i; rewrite (ord1 i) e !ffunE.
by rewrite big_ord_recl big_ord0 addr0 (ord1 l) half -mulr2n -[_ *+ _]mulr_natl divff ?pnatr_eq0.
Qed.

End FairCoin.
