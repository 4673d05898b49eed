(* What one call of entropy-bounded unmasking can lose. theory/entropy_bound/derivation.md. *)
From mathcomp Require Import all_ssreflect all_algebra.
From Formal Require Import Logarithm Entropy.
Import GRing.Theory Num.Theory Order.Theory.

Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive. Local Open Scope ring_scope.

Section Bound.
Variables (R : realFieldType) (ln : logarithm R) (I V : finType) (q : law R (word I V)).
Implicit Types (l : I) (S T U : {set I}).
Local Notation H := (entropy ln q).

(* A larger set of positions has the larger entropy, and H(X_T) = H(X_S) only if x_S determines x_T. *)
Lemma entropy_diff S T : S \subset T ->
  H T - H S = \sum_x q x * (ln (mass q S x) - ln (mass q T x)).
Proof. move=> ST; rewrite !entropyE opprK addrC -sumrB. by apply: eq_bigr => x _; rewrite mulrBr. Qed.

Lemma diff_ge0 S T x : S \subset T -> 0 <= q x * (ln (mass q S x) - ln (mass q T x)).
Proof.
move=> ST; have := law_ge0 q x; rewrite le_eqVlt => /predU1P[<-|qx]; first by rewrite mul0r.
by rewrite mulr_ge0 ?law_ge0 // subr_ge0 ler_ln ?mass_gt0 // mass_sub.
Qed.

Lemma entropy_sub S T : S \subset T -> H S <= H T.
Proof. by move=> ST; rewrite -subr_ge0 entropy_diff // sumr_ge0 // => x _; apply: diff_ge0. Qed.

Lemma entropy_eq S T : S \subset T ->
  H T - H S = 0 <-> (forall x y, 0 < q x -> 0 < q y -> agree S x y -> agree T x y).
Proof.
move=> ST; rewrite entropy_diff //; split=> [/eqP|det].
  rewrite psumr_eq0 => [/allP zero|x _]; last exact: diff_ge0. move=> x y qx qy e; apply: contraT => ne.
  have := zero x (mem_index_enum x); rewrite mulf_eq0 gt_eqF //= subr_eq0 => /eqP m_eq.
  have : mass q T x < mass q S x.
    rewrite /mass /marg [ltRHS](bigID (fun z => restr T z == restr T x)) /=.
    rewrite [X in _ < X + _](eq_bigl (fun z => restr T z == restr T x)) => [|z]; last first.
      by apply/andb_idl; exact: agree_sub.
    rewrite ltr_addl (bigD1 y) /=; last by rewrite -/(agree S y x) -/(agree T y x) agree_sym e agree_sym.
    by apply: ltr_paddr => //; apply: sumr_ge0 => z _; apply: law_ge0.
  by move/(ln_lt ln (mass_gt0 T qx)); rewrite m_eq ltxx.
apply: big1 => x _; have := law_ge0 q x; rewrite le_eqVlt => /predU1P[<-|qx]; first by rewrite mul0r.
rewrite (_ : mass q S x = mass q T x) ?subrr ?mulr0 //.
rewrite /mass /marg big_mkcond [RHS]big_mkcond; apply: eq_bigr => z _.
have := law_ge0 q z; rewrite le_eqVlt => /predU1P[<-|qz]; first by rewrite !if_same.
congr (if _ then _ else _); apply/idP/idP => [|e]; first by move/(det z x qz qx). exact: (agree_sub ST e).
Qed.

(* eb-bound; m is the token of U with the largest entropy *)
Theorem eb_bound U m : m \in U -> (forall l, l \in U -> H [set l] <= H [set m]) ->
  let total_correlation := \sum_(l in U) H [set l] - H U in
  let bound := \sum_(l in U) H [set l] - H [set m] in
  [/\ total_correlation <= bound,
      bound - total_correlation = H U - H [set m] &
      bound - total_correlation = 0 <->
        (forall x y, 0 < q x -> 0 < q y -> x m = y m -> {in U, x =1 y})].
Proof.
move=> mU _ tc bound; have sub : [set m] \subset U by rewrite sub1set.
have slack : bound - tc = H U - H [set m] by rewrite /bound /tc opprB addrC addrA subrK.
split=> //; first by rewrite -subr_ge0 slack subr_ge0 entropy_sub.
rewrite slack entropy_eq //; split=> det x y qx qy.
  move=> e; apply/agreeP; apply: det => //; apply/agreeP => i; by rewrite inE => /eqP->.
by move=> /agreeP e; apply/agreeP; apply: det => //; apply: e; rewrite inE.
Qed.

End Bound.

(* Sums of entropies in the order of the proxy. *)
Section Prefix.
Variables (R : realFieldType) (h : nat -> R) (h_ge0 : forall j, 0 <= h j).

(* M_k, the largest of the first k entropies, and B_k, their sum without it. *)
Fixpoint M (k : nat) : R := if k is j.+1 then Num.max (M j) (h j) else 0.
Definition B (k : nat) : R := \sum_(j < k) h j - M k.

(* If P(j+1) implies P(j), then P(k) holds exactly for the k below the number of those that satisfy it. *)
Lemma count_initial (P : nat -> bool) n : (forall j, P j.+1 -> P j) ->
  forall k, (k < n)%N -> P k = (k < count P (iota 0 n))%N.
Proof.
move=> down; have downs i j : (i <= j)%N -> P j -> P i.
  by move/subnKC => <-; elim: (j - i)%N => [|d IH]; rewrite ?addn0 // addnS => /down.
elim: n => // n IH k; rewrite ltnS -[in iota _ _]addn1 iotaD count_cat /= add0n addn0 => kn.
have [Pn|nPn] := boolP (P n); last first.
  rewrite addn0; move: kn; rewrite leq_eqVlt => /predU1P[->|/IH//].
  rewrite (negbTE nPn); apply/esym/negbTE; rewrite -leqNgt.
  by apply: leq_trans (count_size _ _) _; rewrite size_iota.
have -> : count P (iota 0 n) = n.
  rewrite -[RHS](size_iota 0); apply/eqP; rewrite -all_count; apply/allP => j.
  by rewrite mem_iota add0n => /ltnW jn; apply: downs jn Pn.
by rewrite addn1 ltnS kn (downs _ _ kn Pn).
Qed.

(* eb-monotone; h_1, h_2, ... are h 0, h 1, ..., and k counts tokens from 1 *)
Theorem eb_monotone : (forall k, (0 < k)%N -> B k.+1 - B k = Num.min (h k) (M k) /\ 0 <= B k.+1 - B k)
  /\ forall n gamma k, (0 < k <= n)%N ->
    (B k <= gamma) = (k <= count (fun j => B j.+1 <= gamma)%R (iota 0 n))%N.
Proof.
have M_ge0 k : 0 <= M k by case: k => //= k; rewrite le_maxr h_ge0 orbT.
have step k : B k.+1 - B k = Num.min (h k) (M k).
  have -> : B k.+1 - B k = h k + M k - Num.max (M k) (h k).
    rewrite /B big_ord_recr /=; move: (\sum_(j < k) h j) (h k) (M k) (Num.max _ _) => s a b c.
    by rewrite opprB [s + a]addrC -!addrA; congr (_ + _); rewrite [b - s]addrC addrCA addNKr addrC.
  by rewrite maxC -[h k + M k](addr_max_min (h k)) addrC addKr.
have step_ge0 k : 0 <= B k.+1 - B k by rewrite step le_minr h_ge0 M_ge0.
split=> [k _|n gamma [|k] // kn]; first by split.
rewrite (@count_initial (fun j => B j.+1 <= gamma) n) // => j; apply: le_trans. by rewrite -subr_ge0.
Qed.
End Prefix.
