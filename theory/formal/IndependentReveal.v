(* Independent reveal: every position draws its step i.i.d. theory/perplexity/derivation.md, sections 2 and 3.

   integral p a b   the integral of the polynomial p from a to b, by its primitive
   curve g n        the polynomial h(a) = sum_k C(n,k) a^k (1-a)^(n-k) g(k)
   grid D j         a_j, the sum of the first j probabilities;   mean_iid D   E KL over all N^L choices of steps *)
From mathcomp Require Import all_ssreflect fingroup perm all_algebra polyrcf.
From Formal Require Import Logarithm Entropy Sampler Trajectory RandomOrders InformationCurve.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Integral.
Variable R : rcfType.
Implicit Types (p r : {poly R}) (a b c : R).

Definition primitive p : {poly R} := \poly_(i < (size p).+1) (if i is j.+1 then p`_j / j.+1%:R else 0).
Definition integral p a b := (primitive p).[b] - (primitive p).[a].

Lemma primitiveK p : (primitive p)^`() = p.
Proof.
apply/polyP => i; rewrite coef_deriv coef_poly ltnS; case: ltnP => [_|/(nth_default 0)->]; last by rewrite mul0rn.
by rewrite -mulr_natr divfK // pnatr_eq0.
Qed.

(* The derivative of p integrates to p(b) - p(a). *)
Lemma integral_deriv p a b : integral p^`() a b = p.[b] - p.[a].
Proof.
suff e : primitive p^`() = p - (p`_0)%:P by rewrite /integral e !hornerE opprB addrA subrK.
apply/polyP => -[|i]; rewrite coefB coefC coef_poly /=; first by rewrite subrr.
rewrite subr0 coef_deriv; case: ltnP => [_|h]; first by rewrite -mulr_natr mulfK // pnatr_eq0.
move: h; rewrite ltnS => /(nth_default 0); rewrite coef_deriv => /eqP.
by rewrite -mulr_natr mulf_eq0 pnatr_eq0 orbF => /eqP.
Qed.

Lemma integralD p r a b : integral (p + r) a b = integral p a b + integral r a b.
Proof.
rewrite -{1}(primitiveK p) -{1}(primitiveK r) -derivD integral_deriv !hornerD /integral.
by rewrite opprD addrACA.
Qed.

Lemma integralN p a b : integral (- p) a b = - integral p a b.
Proof. by rewrite -{1}(primitiveK p) -derivN integral_deriv !hornerN /integral opprB opprK addrC. Qed.

Lemma integralZ c p a b : integral (c *: p) a b = c * integral p a b.
Proof. by rewrite -{1}(primitiveK p) -derivZ integral_deriv !hornerZ /integral mulrBr. Qed.

Lemma integral_sum n (F : 'I_n -> {poly R}) a b :
  integral (\sum_(i < n) F i) a b = \sum_(i < n) integral (F i) a b.
Proof.
elim: n F => [|n IH] F; first by rewrite !big_ord0 -(scale0r (0 : {poly R})) integralZ mul0r.
by rewrite !big_ord_recr /= integralD IH.
Qed.

(* A polynomial that is not negative between a and b has an integral that is not negative. *)
Lemma integral_ge0 p a b : a <= b -> (forall x, a <= x <= b -> 0 <= p.[x]) -> 0 <= integral p a b.
Proof.
move=> ab p0; rewrite subr_ge0; apply: (@ler_hornerW _ a b); rewrite ?in_itv /= ?lexx ?ab //.
by move=> x; rewrite in_itv /= primitiveK => /andP[ax xb]; rewrite p0 // !ltW.
Qed.

(* By parts: the integral of (c - x) (-h'(x)) from a to c is (c - a) h(a) - the integral of h. *)
Lemma by_parts h a c : integral ((c%:P - 'X) * - h^`()) a c = (c - a) * h.[a] - integral h a c.
Proof.
have -> : (c%:P - 'X) * - h^`() = - ((c%:P - 'X) * h)^`() - h.
  by rewrite derivM derivB derivC derivX sub0r mulN1r opprD opprK mulrN addrAC subrr add0r.
by rewrite integralD !integralN integral_deriv !hornerE subrr mul0r sub0r opprK.
Qed.

(* The integral of C(n,k) x^k (1-x)^(n-k) from 0 to 1 is 1/(n+1) for every k. *)
Lemma integral_beta n k : (k <= n)%N -> 'C(n, k)%:R * integral ('X^k * (1 - 'X) ^+ (n - k)) 0 1 = n.+1%:R^-1.
Proof.
have d m : ((1 - 'X : {poly R}) ^+ m.+1)^`() = - m.+1%:R *: (1 - 'X) ^+ m.
  by rewrite deriv_exp derivB derivC derivX sub0r mulN1r scaleNr scaler_nat mulNrn.
elim: k => [_|k IH kn].
  rewrite bin0 mul1r subn0 expr0 mul1r; apply: (mulfI (_ : n.+1%:R != 0)); first by rewrite pnatr_eq0.
  have := integral_deriv ((1 - 'X) ^+ n.+1) 0 1; rewrite d integralZ !horner_exp !hornerE subrr expr0n /=.
  by rewrite subr0 expr1n sub0r mulNr divff ?pnatr_eq0 // => /oppr_inj.
rewrite -(IH (ltnW kn)) -(subnSK kn); set m := (n - k.+1)%N.
have := integral_deriv ('X^k.+1 * (1 - 'X) ^+ m.+1) 0 1.
rewrite derivM derivXn d -scaler_nat -scalerAl -scalerAr integralD !integralZ !hornerM !horner_exp !hornerE.
rewrite subrr !expr0n /= mul0r mulr0 subrr mulNr => /eqP; rewrite subr_eq0 => /eqP e.
apply: (mulfI (_ : k.+1%:R != 0)); first by rewrite pnatr_eq0.
rewrite mulrA -natrM mul_bin_left -(subnSK kn) natrM mulrAC -e. by rewrite [RHS]mulrCA [_ * _ * _]mulrC.
Qed.

End Integral.

(* Averages of a nonincreasing sequence u over k ~ Binomial(n, a) fall with a. *)
Section Binomial.
Variable R : realFieldType.
Implicit Types (u : nat -> R) (a b : R).

Definition binomial_mean n u a := \sum_(k < n.+1) 'C(n, k)%:R * u k * (a ^+ k * (1 - a) ^+ (n - k)).

Lemma binomial_meanS n u a :
  binomial_mean n.+1 u a = (1 - a) * binomial_mean n u a + a * binomial_mean n (fun k => u k.+1) a.
Proof.
rewrite /binomial_mean big_ord_recl !mulr_sumr.
rewrite (eq_bigr (fun k : 'I_n.+1 => 'C(n, k.+1)%:R * u k.+1 * (a ^+ k.+1 * (1 - a) ^+ (n - k)) +
  a * ('C(n, k)%:R * u k.+1 * (a ^+ k * (1 - a) ^+ (n - k))))) => [|k _]; last first.
  by rewrite lift0 binS natrD subSS mulrDl mulrDl; congr (_ + _); rewrite exprS -!mulrA [RHS]mulrCA !(mulrCA a).
rewrite big_split addrA; congr (_ + _).
rewrite big_ord_recr /= (bin_small (ltnSn n)) !mul0r addr0 [RHS]big_ord_recl.
congr (_ + _); first by rewrite !bin0 !expr0 !mul1r !subn0 exprS [RHS]mulrCA.
apply: eq_bigr => k _; rewrite lift0 [RHS]mulrCA; congr (_ * _). by rewrite [RHS]mulrCA -exprS subnSK.
Qed.

Lemma binomial_mean_le n u w a : 0 <= a <= 1 -> (forall k, (k <= n)%N -> u k <= w k) ->
  binomial_mean n u a <= binomial_mean n w a.
Proof.
case/andP=> a0 a1 uw; apply: ler_sum => k _; rewrite ler_wpmul2r ?mulr_ge0 ?exprn_ge0 ?subr_ge0 //.
by rewrite ler_wpmul2l ?ler0n // uw // -ltnS.
Qed.

Lemma binomial_mean_anti n u a b : 0 <= a -> a <= b -> b <= 1 -> (forall k, (k < n)%N -> u k.+1 <= u k) ->
  binomial_mean n u b <= binomial_mean n u a.
Proof.
move=> a0 ab b1; elim: n u => [|n IH] u down; first by rewrite /binomial_mean !big_ord1 !expr0 !mulr1.
have b0 := le_trans a0 ab; rewrite !binomial_meanS.
set A := binomial_mean n u a; set A' := binomial_mean n (fun k => u k.+1) a.
apply: (@le_trans _ _ ((1 - b) * A + b * A')).
  apply: ler_add; rewrite ler_wpmul2l ?subr_ge0 // IH // => k kn; first by apply: down; apply: ltnW.
  exact: down.
have AA : A' <= A by apply: binomial_mean_le => [|k kn]; rewrite ?a0 ?(le_trans ab) // down.
rewrite !mulrBl !mul1r -!addrA ler_add2l -subr_ge0.
have -> : - (a * A) + a * A' - (- (b * A) + b * A') = (b - a) * (A - A').
  rewrite mulrBl !mulrBr; move: (a * A) (a * A') (b * A) (b * A') => x y z w.
  by rewrite opprD opprK opprB addrC [- x + y]addrC.
by rewrite mulr_ge0 // subr_ge0.
Qed.

End Binomial.

Section Independent.
Variables (R : rcfType) (ln : logarithm R) (L : nat) (V : finType) (q : law R (word 'I_L V)).
Variables (k : denoiser R 'I_L V) (kE : exact q k).
Local Notation H := (entropy ln q).
Local Notation Hc := (Hc ln q).
Local Notation g := (g ln q).

(* The information curve as a polynomial in the fraction that is revealed. *)
Definition h : {poly R} :=
  \sum_(n < L) ('C(L.-1, n)%:R * g n) *: ('X^n * (1 - 'X) ^+ (L.-1 - n)).

(* The value of h at a. *)
Lemma hE a : h.[a] = \sum_(n < L) 'C(L.-1, n)%:R * g n * (a ^+ n * (1 - a) ^+ (L.-1 - n)).
Proof.
rewrite horner_sum; apply: eq_bigr => n _.
by rewrite hornerZ hornerM hornerXn horner_exp hornerD hornerN hornerX hornerC.
Qed.

(* L times the integral of h is H(X). *)
Lemma integral_h : L%:R * integral h 0 1 = H setT.
Proof.
rewrite integral_sum -(sum_g ln q) mulr_sumr; apply: eq_bigr => n _.
have L0 : (0 < L)%N by apply: leq_ltn_trans (ltn_ord n). have nL : (n <= L.-1)%N by rewrite -ltnS prednK.
rewrite integralZ [_ * g n]mulrC -mulrA (integral_beta R nL) prednK //.
by rewrite mulrC -mulrA mulVf ?mulr1 // pnatr_eq0 -lt0n.
Qed.

(* L h(a) is the sum over positions and contexts of their probability times H(X_i | X_S). *)
Lemma h_contexts a : \sum_i \sum_(S : {set 'I_L} | i \notin S) a ^+ #|S| * (1 - a) ^+ (L.-1 - #|S|) * Hc i S
  = L%:R * h.[a].
Proof.
have cS (S : {set 'I_L}) : (#|S| < L.+1)%N by rewrite ltnS -[X in (_ <= X)%N]card_ord max_card.
rewrite (exchange_big_dep xpredT) //= hE mulr_sumr.
rewrite (partition_big (fun S => Ordinal (cS S)) xpredT) //= big_ord_recr /=.
rewrite [X in _ + X]big1 ?addr0 => [|S /eqP/(congr1 val)/= SL]; last first.
  apply: big1 => i; have -> : S = setT by apply/eqP; rewrite eqEcard subsetT cardsT card_ord SL leqnn.
  by rewrite inE.
apply: eq_bigr => n _; rewrite (eq_bigl (fun S : {set 'I_L} => #|S| == n)) => [|S]; last by rewrite -val_eqE.
transitivity (a ^+ n * (1 - a) ^+ (L.-1 - n) * \sum_(S : {set 'I_L} | #|S| == n) \sum_(i | i \notin S) Hc i S).
  by rewrite mulr_sumr; apply: eq_bigr => S /eqP <-; rewrite mulr_sumr.
have L0 : (0 < L)%N by apply: leq_ltn_trans (ltn_ord n).
rewrite /InformationCurve.g; set X := \sum_(S | _) _; set b := a ^+ n * _.
rewrite !mulrA -natrM [_%:R * X]mulrC mulfK; first by rewrite -mulrA mulrC.
have nL : (n <= L.-1)%N by rewrite -ltnS prednK. by rewrite pnatr_eq0 -lt0n muln_gt0 L0 bin_gt0.
Qed.

(* Each position draws its step from D, on its own. *)
Section Steps.
Variables (N : nat) (D : law R [finType of 'I_N]).

Definition grid (j : nat) := \sum_(m : 'I_N | (m < j)%N) D m.
Definition mean_iid := \sum_(tau : {ffun 'I_L -> 'I_N}) (\prod_i D (tau i)) * KL ln q (p_order k tau).

Lemma gridS (j : 'I_N) : grid j.+1 = grid j + D j.
Proof.
rewrite /grid (bigD1 j) ?ltnS //= addrC; congr (_ + _); apply: eq_bigl => m.
by rewrite ltnS [RHS]ltn_neqAle andbC.
Qed.

Lemma grid0 : grid 0 = 0. Proof. exact: big_pred0. Qed.
Lemma gridN : grid N = 1.
Proof. by rewrite -(law_sum1 D); apply: eq_bigl => m; rewrite ltn_ord. Qed.

(* A position of step j sees every other one independently with probability a_j. *)
Lemma iid_contexts i (F : {set 'I_L} -> R) :
  \sum_(tau : {ffun 'I_L -> 'I_N}) (\prod_i' D (tau i')) * F (before tau (tau i))
    = \sum_j D j * \sum_(S : {set 'I_L} | i \notin S) grid j ^+ #|S| * (1 - grid j) ^+ (L.-1 - #|S|) * F S.
Proof.
rewrite (partition_big (fun tau : {ffun 'I_L -> 'I_N} => tau i) xpredT) //=; apply: eq_bigr => j _.
rewrite (partition_big (fun tau : {ffun 'I_L -> 'I_N} => before tau j) (fun S => i \notin S))
  => [|tau /eqP ti]; last first.
  by rewrite inE ti ltnn.
rewrite mulr_sumr; apply: eq_bigr => S iS.
pose Q i' (m : 'I_N) := if i' == i then m == j else (m < j)%N == (i' \in S).
rewrite (eq_big (fun tau : {ffun 'I_L -> 'I_N} => tau \in family Q) (fun tau => F S * \prod_i' D (tau i'))); first last.
- by move=> tau /andP[/eqP ti /eqP bS]; rewrite ti bS mulrC.
- move=> tau; apply/andP/familyP => [[/eqP ti /eqP bS] i'|fam].
    by rewrite unfold_in /Q -bS inE; case: eqP => [->|_]; rewrite ?ti eqxx.
  have ti : tau i == j by have := fam i; rewrite unfold_in /Q eqxx.
  split=> //; apply/eqP/setP => i'; rewrite [LHS]in_set; have := fam i'; rewrite /Q.
  case: eqP => [->|_]; first by rewrite (eqP ti) ltnn (negbTE iS). by rewrite unfold_in => /eqP.
rewrite -mulr_sumr -(bigA_distr_big_dep Q (fun _ m => D m)) (bigD1 i) //= {1}/Q eqxx big_pred1_eq.
rewrite [RHS]mulrA [RHS]mulrC; congr (_ * (_ * _)); rewrite (bigID (mem S)) /=; congr (_ * _).
  rewrite (eq_bigr (fun=> grid j)) => [|i' /andP[/negbTE i'i i'S]]; last first.
    by apply: eq_bigl => m; rewrite /Q i'i i'S eqb_id.
  rewrite prodr_const; congr (_ ^+ _); apply: eq_card => i'; rewrite [LHS]unfold_in /= andbC.
  by case: eqP => [->|_]; rewrite ?andbT // (negbTE iS).
rewrite (eq_bigr (fun=> 1 - grid j)) => [|i' /andP[/negbTE i'i /negbTE i'S]]; last first.
  rewrite -(law_sum1 D) [in RHS](bigID (fun m : 'I_N => (m < j)%N)) /= -/(grid j) addrAC subrr add0r.
  by apply: eq_bigl => m; rewrite /Q i'i i'S eqbF_neg.
rewrite prodr_const; congr (_ ^+ _).
have := congr1 predn (esym (cardsC (i |: S))); rewrite cardsU1 iS card_ord add1n addSn /= => ->; rewrite addKn.
by apply: eq_card => i'; rewrite [LHS]unfold_in /= in_setC in_setU1 negb_or.
Qed.

(* The values of h at both ends. *)
Lemma h_ends : L%:R * h.[0] = L%:R * g 0 /\ L%:R * h.[1] = L%:R * g L.-1.
Proof.
case: (posnP L) => [e|L0]; first by rewrite (_ : L%:R = 0 :> R) ?mul0r ?e. split; congr (_ * _); rewrite hE.
  rewrite (bigD1 (Ordinal L0)) //= big1 => [|n n0]; first by rewrite bin0 expr0 subr0 expr1n !mul1r mulr1 addr0.
  by rewrite expr0n; have /negbTE-> : (n : nat) != 0%N := n0; rewrite mul0r mulr0.
have L1 : (L.-1 < L)%N by rewrite ltn_predL. rewrite (bigD1 (Ordinal L1)) //= big1 => [|n n1].
  by rewrite binn expr1n subnn expr0 !mul1r mulr1 addr0.
rewrite subrr expr0n subn_eq0 (_ : (L.-1 <= n)%N = false) ?mulr0 //.
by apply/negbTE; rewrite -ltnNge ltn_neqAle -ltnS prednK // ltn_ord andbT.
Qed.

(* curve-identity-independent *)
Theorem curve_identity_independent :
  [/\ mean_iid = L%:R * (\sum_j D j * h.[grid j] - integral h 0 1),
      mean_iid = L%:R * (\sum_(j < N) integral (((grid j.+1)%:P - 'X) * - h^`()) (grid j) (grid j.+1)),
      TC ln q = L%:R * integral ((1 - 'X) * - h^`()) 0 1,
      DTC ln q = L%:R * integral ('X * - h^`()) 0 1 &
      TC ln q + DTC ln q = L%:R * (h.[0] - h.[1])].
Proof.
have [e0 e1] := h_ends. have w1 : \sum_(tau : {ffun 'I_L -> 'I_N}) \prod_i D (tau i) = 1.
  by rewrite -(bigA_distr_bigA (fun _ : 'I_L => D : 'I_N -> R)) /=; apply: big1 => i _; apply: law_sum1.
have first_form : mean_iid = L%:R * (\sum_j D j * h.[grid j] - integral h 0 1).
  rewrite mulrBr integral_h /mean_iid.
  rewrite [LHS](eq_bigr (fun tau : {ffun 'I_L -> 'I_N} => \sum_i (\prod_i' D (tau i')) * Hc i (before tau (tau i))
    - (\prod_i' D (tau i')) * H setT)) => [|tau _]; last by rewrite (KL_order ln tau kE) mulrBr mulr_sumr.
  rewrite sumrB -mulr_suml w1 mul1r.
  congr (_ - _); rewrite exchange_big /= (eq_bigr _ (fun i _ => iid_contexts i (Hc i))) exchange_big /= mulr_sumr.
  by apply: eq_bigr => j _; rewrite -mulr_sumr h_contexts mulrCA.
split=> //.
- rewrite first_form; congr (_ * _).
  have -> : integral h 0 1 = \sum_(j < N) integral h (grid j) (grid j.+1).
    rewrite /integral -{1}gridN -{1}grid0 -(telescope_sumr (fun j => (primitive h).[grid j])) //.
    by rewrite big_mkord.
  by rewrite -sumrB; apply: eq_bigr => j _; rewrite by_parts gridS [grid j + D j]addrC addrK.
- by rewrite -polyC1 by_parts subr0 mul1r mulrBr e0 integral_h TC_g.
- have -> : 'X * - h^`() = h - ('X * h)^`() by rewrite derivM derivX mul1r opprD addrA subrr sub0r mulrN.
  by rewrite integralD integralN integral_deriv !hornerM !hornerX mul1r mul0r subr0 mulrBr integral_h e1 DTC_g.
by rewrite mulrBr e0 e1 -mulrBr TC_DTC.
Qed.

(* ter-every-language *)
Theorem ter_every_language : (forall j, D j = N%:R^-1) ->
  mean_iid <= (TC ln q + DTC ln q) / N%:R
  /\ (TC ln q + DTC ln q) / N%:R = L%:R * (h.[0] - h.[1]) / N%:R.
Proof.
move=> uniform; have [_ -> _ _ ->] := curve_identity_independent; split=> //.
rewrite -mulrA ler_wpmul2l ?ler0n //. have grid_ge0 j : 0 <= grid j by apply: sumr_ge0 => m _; apply: law_ge0.
have grid_le1 j : grid j <= 1.
  rewrite -(law_sum1 D) [leRHS](bigID (fun m : 'I_N => (m < j)%N)) /= ler_addl.
  by apply: sumr_ge0 => m _; apply: law_ge0.
have cell (j : 'I_N) : integral (((grid j.+1)%:P - 'X) * - h^`()) (grid j) (grid j.+1)
    <= N%:R^-1 * (h.[grid j] - h.[grid j.+1]).
  have c_a : grid j.+1 - grid j = N%:R^-1 by rewrite gridS [grid j + D j]addrC addrK uniform.
  have le_grid : grid j <= grid j.+1 by rewrite gridS ler_addl law_ge0.
  rewrite by_parts c_a mulrBr ler_add2l ler_opp2.
  have : 0 <= integral (h - (h.[grid j.+1])%:P) (grid j) (grid j.+1).
    apply: integral_ge0 => // x /andP[ax xc]; rewrite !hornerE subr_ge0 !hE.
    case: (posnP L) => [e|L0]; first by rewrite !big1 // => i; have := ltn_ord i; rewrite [X in (_ < X)%N]e.
    have := @binomial_mean_anti R L.-1 g x (grid j.+1) (le_trans (grid_ge0 j) ax) xc (grid_le1 _).
    by rewrite /binomial_mean prednK //; apply=> m mL; apply: g_step; rewrite -ltn_predRL.
  have -> : (h.[grid j.+1])%:P = (h.[grid j.+1] *: 'X)^`() by rewrite derivZ derivX alg_polyC.
  by rewrite integralD integralN integral_deriv !hornerE -mulrBr c_a subr_ge0 mulrC.
apply: le_trans (ler_sum _ (fun j _ => cell j)) _; rewrite -mulr_sumr mulrC ler_wpmul2r ?invr_ge0 ?ler0n //.
rewrite -ler_opp2 -sumrN; under eq_bigr do rewrite opprB.
by rewrite -(big_mkord xpredT (fun j => h.[grid j.+1] - h.[grid j])) telescope_sumr // gridN grid0 opprB.
Qed.

End Steps.
End Independent.
