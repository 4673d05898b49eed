(* From divergence to sequence error. theory/sequence_error/derivation.md, section 1. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section SequenceError.
Variables (R : realFieldType) (ln : logarithm R) (A : finType).

(* SER(p) = 1 - p(supp q): the probability of writing a text that is impossible. *)
Definition SER (q p : A -> R) := 1 - \sum_(a | 0 < q a) p a.

(* ser-from-kl; e is e^{-KL}, the positive number whose logarithm is -KL *)
Theorem ser_from_kl (q p : law R A) (e : R) :
  (forall a, 0 < q a -> 0 < p a) -> 0 < e -> ln e = - KL ln q p ->
  SER q p <= 1 - e
  /\ forall c d, (forall a, 0 < q a -> q a = c /\ p a = d) -> SER q p = 1 - e.
Proof.
move=> qp e0 eE; pose r a := if 0 < q a then p a else 0.
have rE : \sum_(a | 0 < q a) p a = \sum_a r a by rewrite big_mkcond. have low : - KL ln q p <= ln (\sum_a r a).
  rewrite ler_oppl; have := @log_sum R ln A q r (law_ge0 q).
  have r_ge0 a : 0 <= r a by rewrite /r; case: ifP; rewrite ?law_ge0.
  have r_gt0 a : 0 < q a -> 0 < r a by move=> qa; rewrite /r qa qp.
  rewrite law_sum1 mul1r ln1 sub0r => /(_ r_ge0 r_gt0)/le_trans; apply.
  rewrite le_eqVlt; apply/orP; left; apply/eqP; apply: eq_mean => a qa. by rewrite /r qa.
have r0 : 0 < \sum_a r a.
  have [a qa] := support q.
  rewrite -rE (bigD1 a) //=; apply: ltr_paddr; last exact: qp. by apply: sumr_ge0 => a' _; apply: law_ge0.
split=> [|c d same]; first by rewrite /SER rE ler_add2l ler_opp2 -(ler_ln ln) // eE.
have sumE (F : A -> R) z : (forall a, 0 < q a -> F a = z) -> \sum_(a | 0 < q a) F a = #|[pred a | 0 < q a]|%:R * z.
  by move=> Fz; rewrite (eq_bigr (fun=> z)) => [|a /Fz//]; rewrite sumr_const mulr_natl.
have n1 : #|[pred a | 0 < q a]|%:R * c = 1.
  rewrite -(sumE q) => [|a /same[]//]; rewrite -[RHS](law_sum1 q) big_mkcond /=.
  by apply: eq_bigr => a _; have := law_ge0 q a; rewrite le_eqVlt => /predU1P[<-|->]; rewrite ?ltxx.
have eS : e <= \sum_a r a by rewrite -(ler_ln ln) // eE.
rewrite /SER; congr (1 - _); apply: le_anti; rewrite {2}rE eS andbT -(ler_ln ln) // ?rE // eE -rE.
rewrite (sumE p d) => [|a /same[]//]; rewrite ler_oppr. have [a qa] := support q.
have [qc pd] := same a qa; have c0 : 0 < c by rewrite -qc. have d0 : 0 < d by rewrite -pd qp.
have -> : #|[pred a | 0 < q a]|%:R = c^-1 :> R by apply: (mulIf (lt0r_neq0 c0)); rewrite mulVf ?lt0r_neq0.
rewrite mulrC ln_div // opprB -(mean_const q (ln c - ln d)). by apply: le_mean => a' /same[-> ->].
Qed.

End SequenceError.
