"""Energies of schedules, the great circle, and the rates of a probability path."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "beta_family": ["BetaFit", "best_fit_beta", "beta_parameters"],
        "beta_search": ["BetaSearch", "BudgetRow", "RULES", "schedule_kl", "search_beta"],
        "chords": ["arc_energy", "chord_energy", "joint_chord_energy", "optimal_chord_angles", "step_angles"],
        "conditional_kinetic": ["marginalised_rates", "point_mass"],
        "fisher_rao": [
            "binomial_path",
            "chi_square",
            "fisher_information",
            "information_split",
            "kullback_leibler",
            "mask_value_dependent",
            "mixture_kinetic",
            "squared_hellinger",
            "total_variation",
            "uniform_mixture",
        ],
        "geodesic": ["PathEnergy", "beta_energy", "energy_quadrature", "path_energy_report", "tanh_sinh"],
        "kinetic": [
            "Lattice",
            "kinetic_constant",
            "kinetic_sum",
            "lattice_of",
            "net_flow",
            "path_probabilities",
            "path_slopes",
            "rates",
        ],
        "rate_optimality": ["CheapestFlux", "EDGES", "cheapest_directed", "cheapest_flux", "edges_of"],
        "energies_by_state": [
            "EnergyIntegrands",
            "StateEnergies",
            "energy_integrands",
            "full_support_constants",
            "state_energies",
        ],
    },
)
