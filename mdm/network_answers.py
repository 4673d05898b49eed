"""What `mdm network` answers, in sentences that carry the network, L, N and the number of texts they hold for."""

Said = dict[str, str]


def _pm(e: dict) -> str:
    return "infinite" if e["value"] == "inf" else f"{e['value']:.4f} ({e['low']:.4f} to {e['high']:.4f})"


def _sign(e: dict) -> int:
    """1 or -1 where the interval excludes 0, else 0."""
    if e["value"] == "inf":
        return 1
    return int(e["low"] > 0) - int(e["high"] < 0)


def sentences(report: dict) -> list[Said]:
    """Answers to questions that users of released models asked, from this network's own numbers."""
    length, rows = report["network"]["length"], report["data"]["rows"]
    scope = f"L = {length}, {rows} texts of {report['data']['source']}"
    at = {(s["schedule"], s["asked"]): s for s in report["schedules"]}
    asked = sorted({s["asked"] for s in report["schedules"]})
    middle = asked[(len(asked) - 1) // 2]
    priced = ", ".join(f"{_pm(at['uniform', n]['excess'])} at N = {n}" for n in asked)
    said = [
        {
            "question": "Can it write several tokens per step, and what does that cost? (mdlm #36)",
            "answer": f"Equal sizes in a random order add {priced} nats per token to the bound of one token per call "
            f"({scope}).",
        }
    ]
    grown, even = at["growing", middle], at["uniform", middle]
    worst = max(
        (s for s in report["schedules"] if s["asked"] == middle and s["loses"]), key=lambda s: s["loses"]["value"]
    )
    verdict = {1: "growing sizes lose more", -1: "growing sizes lose less", 0: "neither can be told from the other"}
    far = float(grown["loses"]["value"]) - float(even["loses"]["value"])
    apart = grown["loses"]["low"] > even["loses"]["high"] or grown["loses"]["high"] < even["loses"]["low"]
    said.append(
        {
            "question": "Do growing sizes 1, 2, 3, ... beat equal ones? (LLaDA #93)",
            "answer": f"Against the best sizes of {middle} calls equal sizes lose {_pm(even['loses'])}, growing ones "
            f"{_pm(grown['loses'])} nats per token: {verdict[(far > 0) - (far < 0) if apart else 0]}; "
            f"{worst['schedule']} loses most ({scope}).",
        }
    )
    blocks = [r for r in report["rules"] if r["rule"].startswith("blocks")]
    whole = [r for r in report["rules"] if r["rule"].startswith("confidence")]
    if blocks and whole:
        said.append(
            {
                "question": "Why does the block length matter at a fixed number of steps? (LLaDA #39)",
                "answer": f"{blocks[0]['rule']} pays {_pm(blocks[0]['nll'])} in {blocks[0]['calls']['value']:.1f} "
                f"calls, {whole[0]['rule']} over the whole length {_pm(whole[0]['nll'])} in "
                f"{whole[0]['calls']['value']:.1f} nats per token, -log p exact along each text ({scope}).",
            }
        )
    gap = report["orders"]["left to right minus random"]
    better = {1: "left to right is dearer", -1: "left to right is cheaper", 0: "no difference is seen on average"}
    said.append(
        {
            "question": "Likelihood by Monte Carlo draws, or in causal order? (Dream #14)",
            "answer": "They are likelihoods of two samplers: left to right minus a random order, one token per call, "
            f"is {_pm(gap)} nats per token ({better[_sign(gap)]}), and {report['orders']['spread text by text']:.4f} "
            f"in root mean square text by text; an exact denoiser has 0 in both ({scope}).",
        }
    )
    over = report["overconfidence"]
    sure = {1: "it is surer than it is right", -1: "it is less sure than it is right", 0: "no bias is seen"}
    learning = report["learning error at least"]
    bound = (
        "No bound from the network alone was computed (the vocabulary makes too many windows)."
        if learning is None
        else f"From the network alone: in some context its law is at least {learning['largest']:.4f} nats from every "
        f"law of the texts, and on average over windows of two tokens at least {_pm(learning['mean'])}."
    )
    said.append(
        {
            "question": "How good is the network itself?",
            "answer": f"Its loss minus its own entropy is {_pm(over)} nats per token ({sure[_sign(over)]}). {bound} "
            f"({scope}.)",
        }
    )
    return said
