"""Which terms a trend needs under a transit, judged with correlated noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from accretor.core.arrays import Floats
from accretor.science import detrend, fit, rednoise, solution
from accretor.science.fit import K, Problem

MOST_ROUNDS = 3
"""The choice is made again with the transit that it gives, so many times at most."""


@dataclass(frozen=True)
class Tried:
    """What a term changes."""

    name: str
    is_kept: bool
    gain: float
    """BIC that the term gains, correlated noise allowed for; positive is better with it."""
    depth_change_ppt: float
    """Depth with the term minus depth without it."""


@dataclass(frozen=True)
class Judge:
    """A light curve with all terms that its trend could have."""

    wide: Problem
    """Its basis has the constant and every term."""
    names: tuple[str, ...]
    noise: rednoise.Noise
    n_point: int
    """Points before they were averaged."""
    _fits: dict[frozenset[str], Floats] = field(default_factory=dict, compare=False, repr=False)
    """Fits made so far, by their terms."""

    def with_terms(self, chosen: Sequence[str]) -> Problem:
        """Return the problem with the constant and the terms *chosen*."""
        column = [0, *(1 + self.names.index(name) for name in chosen)]
        return replace(self.wide, basis=self.wide.basis[:, column])

    def choose(self, max_terms: int) -> tuple[str, ...]:
        """Return the terms that the Bayesian information criterion asks for.

        White noise would take every slow wave for a trend; here a term must explain
        more than correlated noise does. The likelihood is linear about a fitted
        transit; a trend distorts a fit that lacks it, so the choice is repeated with
        the transit of the terms just chosen until it stays. Without the trend that it
        needs, a transit may lie at quite another mid-time, from where no linear step
        leads back: at the end each further term is judged about the transit that is
        fitted with it.
        """
        if not self.names:
            return ()
        shape, template = self._shapes()
        chosen: tuple[str, ...] = ()
        for _ in range(MOST_ROUNDS):
            about = self.about_own(chosen)
            before, chosen = (
                chosen,
                detrend.select(
                    shape,
                    about.deviance,
                    n_point=self.n_point,
                    max_terms=max_terms,
                    template=template,
                    knows_correlated_noise=True,
                ),
            )
            if chosen == before:
                break
        while missed := self._missed(chosen, shape, template, max_terms):
            chosen = (*chosen, missed)
        return chosen

    def _missed(
        self, chosen: tuple[str, ...], shape: dict[str, Floats], template: Floats, max_terms: int
    ) -> str | None:
        """Return the term that the light curve needs beside those *chosen*, by fits of its own."""
        before = self.about_own(chosen).deviance(chosen) - math.log(self.n_point)
        names = detrend.joinable(shape, chosen, max_terms=max_terms, template=template)
        return detrend.best_of(
            {name: before - self.about_own((*chosen, name)).deviance((*chosen, name)) for name in names}
        )

    def tried(self, chosen: Sequence[str], found: solution.Solution) -> tuple[Tried, ...]:
        """Return what every term changes: those not *chosen* if added, the others if left out."""
        about = self.about(chosen, found.parameter, found.coefficient)
        depth = 2000 * float(found.parameter[K])

        def one(name: str) -> Tried:
            without = [other for other in chosen if other != name]
            change = about.step(K, [*without, name]) - about.step(K, without)
            gain = about.deviance(without) - about.deviance([*without, name]) - math.log(self.n_point)
            return Tried(name, name in chosen, gain, depth * change)

        return tuple(one(name) for name in self.names)

    def sets(self, max_terms: int) -> list[tuple[str, ...]]:
        """Return every set of terms that could have been chosen."""
        shape, template = self._shapes()
        is_used = np.ones(len(template), dtype=bool)
        return detrend.sets(shape, max_terms=max_terms, template=template, is_used=is_used)

    def _shapes(self) -> tuple[dict[str, Floats], Floats]:
        """Return the terms by name, and the shape of the transit."""
        shape = {name: self.wide.basis[:, i] for i, name in enumerate(self.names, start=1)}
        return shape, fit.transit_model(self.wide, self.wide.start)

    def cost(self, terms: Sequence[str], about: Linear) -> float:
        """Return the BIC of a set of *terms*, and what is demanded of it besides."""
        return about.deviance(terms) + len(terms) * math.log(self.n_point) + detrend.demanded(terms)

    def fitted(self, terms: Sequence[str]) -> Floats:
        """Return the transit that least squares finds with *terms*, (5,)."""
        key = frozenset(terms)
        if key not in self._fits:
            self._fits[key], _ = fit.best(self.with_terms(terms))
        return self._fits[key]

    def about_own(self, terms: Sequence[str]) -> Linear:
        """Return the likelihood about the transit that is fitted with *terms*."""
        problem, parameter = self.with_terms(terms), self.fitted(terms)
        coefficient, _ = fit.linear(problem, fit.transit_model(problem, parameter))
        return self.about(terms, parameter, coefficient)

    def about(self, chosen: Sequence[str], parameter: Floats, coefficient: Floats) -> Linear:
        """Return the likelihood about a transit and the trend of the terms *chosen*."""
        trend = self.with_terms(chosen).basis @ coefficient
        model = fit.transit_model(self.wide, parameter)
        bare = replace(self.wide, basis=np.ones((len(trend), 1)))
        slope = fit.jacobian(bare, parameter, np.ones(1))[:, :-1]
        design = np.column_stack([slope * trend[:, np.newaxis], model[:, np.newaxis] * self.wide.basis])
        residual = self.wide.flux - model * coefficient[0]  # the terms' own part is for them to explain
        precision, gradient = fit.prior_terms(self.wide, parameter, self.wide.basis.shape[1])
        # Two terms that say the same leave nothing to solve, so none may change the flux by its whole.
        precision[slope.shape[1] :, slope.shape[1] :] += np.eye(self.wide.basis.shape[1])
        return Linear(
            products=rednoise.gram(self.noise, np.column_stack([residual, design])),
            precision=precision,
            gradient=gradient,
            names=self.names,
            n_free=slope.shape[1],
            free=tuple(int(i) for i in np.nonzero(self.wide.is_free)[0]),
        )


@dataclass(frozen=True)
class Linear:
    """The likelihood near one transit, for any set of terms."""

    products: rednoise.Gram
    precision: Floats
    gradient: Floats
    names: tuple[str, ...]
    n_free: int
    free: tuple[int, ...]

    def _of(self, terms: Sequence[str]) -> tuple[rednoise.Gram, Floats, Floats]:
        column = [
            *range(self.n_free + 1),
            *(self.n_free + 1 + self.names.index(name) for name in terms),
        ]
        return self.products.of(column), self.precision[np.ix_(column, column)], self.gradient[column]

    def deviance(self, terms: Sequence[str]) -> float:
        """Return -2 ln of the greatest likelihood with these *terms*."""
        return rednoise.deviance(*self._of(terms))

    def step(self, parameter: int, terms: Sequence[str]) -> float:
        """Return how far *parameter* moves with these *terms*."""
        products, precision, gradient = self._of(terms)
        update = rednoise.average(rednoise.steps(products, precision, gradient))
        return float(update.step[self.free.index(parameter)])
