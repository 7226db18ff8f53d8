/// The samplers that a diffusers pipeline is set up with, from its `scheduler_config.json`.
///
/// A [Scheduler] is a config that was read and understood; [Scheduler#plan(int)] gives the run of a
/// number of steps: a [spellshield.sampler.Sampler], the [spellshield.sampler.Levels] it visits,
/// the timestep that the network is told at each, and the [Prediction] that turns a network's
/// output into x̂0. [Plan#denoiser] makes a [spellshield.sampler.Denoiser] of the network, and
/// guidance and shield stand between that and the sampler as between any others:
///
/// ```text
/// x_t ──·c_in(σ)──→ network(·, timestep(σ)) ──→ F ──→ x̂0 = c_skip(σ)·x_t + c_out(σ)·F
///                                                      └─ guidance, shield ─→ x̂0' ─→ sampler
/// ```
///
/// diffusers steps in three coordinate systems: `x0 + σ·ε` (Euler, Heun, EDM), the
/// variance-preserving `√ᾱ·x0 + √(1−ᾱ)·ε` (DDIM, DDPM, DPM-Solver) and flow, `(1−t)·x0 + t·ε`. All
/// are `α·x_t` in ours, and a step of any of these schedulers towards a given x̂0 is a step of one
/// of our samplers; what differs is written down in the levels: where the run starts and ends, the
/// factor of the initial noise, and the untidy steps of DDIM. Where the picture is gone (α = 0:
/// flow at t = 1, a zero terminal signal-to-noise ratio) σ is 2²⁴, at which a float32 cannot tell
/// the difference. `SchedulerFixtureTest` compares 32 runs with diffusers' own, to 1e-5.
///
/// One place maps classes and options to this, `Recipe.of`; what it does not know and would change
/// the result is refused by name. Immutable and safe for any number of threads.
@NullMarked
package spellshield.sampler.scheduler;

import org.jspecify.annotations.NullMarked;
