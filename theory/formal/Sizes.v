(* A uniformly random order, cut into steps of given sizes.
   theory/perplexity/derivation.md, sections 2, 4 and 6.

   s : seq nat     the sizes s_1, s_2, ... (zeros allowed), with sum L
   boundary s j    N_j, the sum of the first j sizes
   step_of s r     the step (counting from 0) that holds the token of rank r: the one with N_j <= r < N_{j+1}
   mean_KL beta    E KL(q || p_tau) over all L! orders, when the token of rank r is revealed in step beta r *)
From mathcomp Require Import all_ssreflect fingroup perm all_algebra.
From Formal Require Import Logarithm Entropy Sampler Trajectory RandomOrders InformationCurve.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Definition boundary (s : seq nat) (j : nat) : nat := sumn (take j s).

Fixpoint step_of (s : seq nat) (r : nat) : nat :=
  if s is a :: s' then (if r < a then 0 else (step_of s' (r - a)).+1)%N else 0%N.

(* The token of rank r comes before step j exactly if r < N_j. *)
Lemma step_of_lt s r j : (r < sumn s)%N -> (step_of s r < j)%N = (r < boundary s j)%N.
Proof.
elim: s r j => // a s IH r [|j] /=; rewrite /boundary ?take0 //= => rs.
have [ra|ar] := ltnP r a; first by rewrite ltn_addr. by rewrite ltnS IH ltn_subLR.
Qed.

Lemma step_of_size s r : (r < sumn s)%N -> (step_of s r < size s)%N.
Proof. by move=> rs; rewrite step_of_lt // /boundary take_size. Qed.

Lemma boundaryS s j : boundary s j.+1 = (boundary s j + nth 0%N s j)%N.
Proof.
elim: s j => [|a s IH] [|j] //=; rewrite /boundary /= ?take0 ?addn0 //.
by move: (IH j); rewrite /boundary => ->; rewrite addnA.
Qed.

(* Summing over ranks is summing over steps, then over the tokens of each step. *)
Lemma sum_steps (R : realFieldType) (F : nat -> nat -> R) s :
  \sum_(r < sumn s) F (boundary s (step_of s r)) r
    = \sum_(j < size s) \sum_(i < nth 0%N s j) F (boundary s j) (boundary s j + i)%N.
Proof.
elim: s F => [|a s IH] F /=; first by rewrite !big_ord0. rewrite big_split_ord big_ord_recl /=; congr (_ + _).
  by apply: eq_bigr => r _; rewrite /= ltn_ord /boundary take0.
transitivity (\sum_(r < sumn s) F (a + boundary s (step_of s r))%N (a + r)%N).
  by apply: eq_bigr => r _; rewrite ltnNge leq_addr /= addKn.
rewrite (IH (fun x y => F (a + x) (a + y))%N); apply: eq_bigr => j _; apply: eq_bigr => i _. by rewrite addnA.
Qed.

(* A nonincreasing sequence g on 0, ..., L-1, whatever it stands for. *)
Section Nonincreasing.
Variables (R : realFieldType) (L : nat) (g : nat -> R).
Hypothesis g_step : forall n, (n.+1 < L)%N -> g n.+1 <= g n.

Lemma g_le m n : (m <= n)%N -> (n < L)%N -> g n <= g m.
Proof.
elim: n => [|n IH]; first by rewrite leqn0 => /eqP->. rewrite leq_eqVlt => /predU1P[->//|mn] nL.
exact: le_trans (g_step nL) (IH mn (ltnW nL)).
Qed.

Lemma sum_shift1 t n :
  \sum_(r < n) (g (r - t.+1) - g (r - t)) = g 0 - g (n.-1 - t).
Proof.
elim: n => [|n IH]; first by rewrite big_ord0 sub0n subrr.
rewrite big_ord_recr /= IH -!subn1 -subnDA addnC subnDA subn1 -subnS. by rewrite addrA subrK.
Qed.

(* Every drop of g is counted at most t times when each token looks t tokens back (or to the beginning). *)
Lemma sum_shift t :
  \sum_(r < L) (g (r - t) - g r) <= t%:R * (g 0 - g L.-1).
Proof.
elim: t => [|t IH].
  by rewrite mul0r big1 // => r _; rewrite subn0 subrr.
rewrite (eq_bigr (fun r : 'I_L =>
  (g (r - t.+1) - g (r - t)) + (g (r - t) - g r))) => [|r _]; last first. by rewrite addrA subrK.
rewrite big_split /= -add1n natrD mulrDl mul1r ler_add // sum_shift1.
rewrite ler_add2l ler_opp2; case: (posnP L) => [->//|L0]. by apply: g_le; rewrite ?leq_subr // ltn_predL.
Qed.

(* The same when the token of rank r sees the first a(r) tokens, r - b < a(r) <= r. *)
Lemma sum_start (a : nat -> nat) b :
  (forall r, (r < L)%N -> (r < a r + b)%N) -> (forall r, (r < L)%N -> (a r <= r)%N) ->
  \sum_(r < L) (g (a r) - g r) <= b.-1%:R * (g 0 - g L.-1).
Proof.
move=> ab ar; apply: le_trans (sum_shift b.-1); apply: ler_sum => r _. have h : (r - b.-1 <= a r)%N.
  have := ab r (ltn_ord r); case: (b) => [|c]; first by rewrite addn0 subn0 => /ltnW.
  by rewrite addnS ltnS leq_subLR addnC.
by rewrite ler_add2r g_le // (leq_ltn_trans (ar r (ltn_ord r))).
Qed.

End Nonincreasing.

Section Sizes.
Variables (R : realFieldType) (ln : logarithm R) (L : nat) (V : finType) (q : law R (word 'I_L V)).
Variables (k : denoiser R 'I_L V) (kE : exact q k).
Local Notation H := (entropy ln q).
Local Notation g := (g ln q).

Definition mean_KL N (beta : 'I_L -> 'I_N) :=
  avg (fun order : 'S_L => KL ln q (p_order k (fun i => beta (rank order i)))).

(* I(X_i; X_{-i}), the information between a token and all others. *)
Definition information i := H [set i] + H (setT :\ i) - H setT.

Lemma sum_information : \sum_i information i = TC ln q + DTC ln q.
Proof.
rewrite /TC /DTC addrA subrK -sumrB; apply: eq_bigr => i _. by rewrite /information /Hc setD1K // opprB addrA.
Qed.

(* E KL = sum over ranks of g(number of tokens revealed before its step), minus H(X). *)
Lemma mean_KL_flat N (beta : 'I_L -> 'I_N) (start : nat -> nat) :
  (forall r r' : 'I_L, (beta r' < beta r)%N = (r' < start r)%N) ->
  mean_KL beta = \sum_(r < L) g (start r) - H setT.
Proof.
move=> bE; have le_start (r : 'I_L) : (start r <= r)%N by rewrite leqNgt -bE ltnn.
rewrite -(eq_bigr _ (fun r _ => gE ln q (le_start r))) avg_sum -avgB.
congr (_ / _); apply: eq_bigr => s _; rewrite KL_order //; congr (_ - _).
rewrite (reindex_inj (@perm_inj _ s)); apply: eq_bigr => r _.
rewrite /rank permK; congr (Hc _ _ _); apply/setP => i. by rewrite !inE bE.
Qed.

Lemma mean_KL_gap N (beta : 'I_L -> 'I_N) (start : nat -> nat) :
  (forall r r' : 'I_L, (beta r' < beta r)%N = (r' < start r)%N) ->
  mean_KL beta = \sum_(r < L) (g (start r) - g r).
Proof. by move=> bE; rewrite (mean_KL_flat bE) sumrB sum_g. Qed.

Section List.
Variables (s : seq nat) (sum_s : sumn s = L).

Lemma rank_lt (r : 'I_L) : (r < sumn s)%N. Proof. by rewrite sum_s. Qed.
Definition step (r : 'I_L) : 'I_(size s) := Ordinal (step_of_size (rank_lt r)).

Lemma step_lt (r r' : 'I_L) : (step r' < step r)%N = (r' < boundary s (step_of s r))%N.
Proof. by rewrite /= step_of_lt ?rank_lt. Qed.

Lemma mean_KL_step_gap : mean_KL step = \sum_(r < L) (g (boundary s (step_of s r)) - g r).
Proof. exact: (mean_KL_gap (start := fun r => boundary s (step_of s r)) step_lt). Qed.

Lemma sum_ranks (F : nat -> nat -> R) : \sum_(r < L) F (boundary s (step_of s r)) r
  = \sum_(j < size s) \sum_(i < nth 0%N s j) F (boundary s j) (boundary s j + i)%N.
Proof. by rewrite -sum_steps; case: _ / sum_s. Qed.

(* curve-identity-sizes *)
Theorem curve_identity_sizes :
  mean_KL step = \sum_(j < size s) (nth 0%N s j)%:R * g (boundary s j) - H setT
  /\ mean_KL step = \sum_(j < size s) \sum_(r < nth 0%N s j) (g (boundary s j) - g (boundary s j + r)).
Proof.
split; last by rewrite mean_KL_step_gap (sum_ranks (fun x y => g x - g y)).
rewrite (mean_KL_flat (start := fun r => boundary s (step_of s r)) step_lt) (sum_ranks (fun x y => g x)); congr (_ - _).
by apply: eq_bigr => j _; rewrite sumr_const card_ord mulr_natl.
Qed.

(* li-cai-thm-1, with the factor 2^ceil(log2 b) - 1 of its statement and with b - 1 *)
Theorem li_cai_thm_1 b : (0 < L)%N -> (forall a, a \in s -> (a <= b)%N) ->
  mean_KL step <= (2 ^ up_log 2 b - 1)%:R / L%:R * (\sum_i information i)
  /\ mean_KL step <= (b - 1)%:R / L%:R * (\sum_i information i).
Proof.
move=> L0 sb; set M := \sum_i _. have ME : M = L%:R * (g 0 - g L.-1) by rewrite /M sum_information TC_DTC.
have M0 : 0 <= M.
  by rewrite ME mulr_ge0 ?ler0n ?subr_ge0 // (g_le (@g_step R ln L V q)) // ltn_predL.
have le_b : mean_KL step <= (b - 1)%:R / L%:R * M.
  rewrite ME mulrA divfK ?pnatr_eq0 -?lt0n // subn1 mean_KL_step_gap.
  apply: (sum_start (a := fun r => boundary s (step_of s r)) (@g_step R ln L V q)) => r rL.
    apply: (@leq_trans (boundary s (step_of s r).+1)); first by rewrite -step_of_lt ?sum_s.
    rewrite boundaryS leq_add2l sb // mem_nth // step_of_size ?sum_s //.
  by rewrite leqNgt -step_of_lt ?ltnn ?sum_s.
split=> //; apply: le_trans le_b _; rewrite ler_wpmul2r // ler_wpmul2r ?invr_ge0 ?ler0n //.
by rewrite ler_nat leq_sub2r // up_logP.
Qed.

End List.
End Sizes.
