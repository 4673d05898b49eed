(* The real numbers with the natural logarithm are an instance, so every theorem of these files is one about them.

   Coq's reals are built on axioms of its standard library (assumptions.txt lists them); no other file uses these. *)
From Coq Require Import Reals.
From mathcomp Require Import all_ssreflect all_algebra Rstruct.
From Formal Require Import Logarithm Entropy Sampler Trajectory.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

(* ln(xy) = ln x + ln y. *)
Lemma Rln_mul (x y : R) : 0 < x -> 0 < y -> ln (x * y) = ln x + ln y.
Proof. by move=> /RltP x0 /RltP y0; exact: ln_mult. Qed.

(* ln x <= x - 1. *)
Lemma Rln_le (x : R) : 0 < x -> ln x <= x - 1.
Proof. move=> /RltP x0; rewrite ler_subr_addl; apply/RleP. by have := exp_ineq1_le (ln x); rewrite exp_ln. Qed.

Definition natural_logarithm : logarithm [realFieldType of R] := Logarithm Rln_mul Rln_le.

(* trajectory-identity over the real numbers, as an example of how the others read there. *)
Theorem trajectory_identity_reals (I V : finType) (q : law [realFieldType of R] (word I V)) (N : nat)
  (k : denoiser R I V) (tau : I -> 'I_N) : exact q k ->
  KL natural_logarithm q (p_order k tau)
    = \sum_(j < N) conditional_TC natural_logarithm q (block tau j) (before tau j).
Proof. by case/(trajectory_identity natural_logarithm tau). Qed.
