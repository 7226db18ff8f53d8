package spellshield.sampler;

/// The trapezoidal rule along the straight paths of rectified flow, two denoiser calls a step.
///
/// A flow steps `y = (1 − t)·x0 + t·ε` by its velocity `v = (y − x̂0)/t`:
///
/// ```text
/// y'     = y + (t_next − t)·v,   v' = (y' − x̂0')/t_next
/// y_next = y + (t_next − t)·(v + v')/2
/// ```
///
/// The first-order part is [Euler]'s in any coordinates, but the average is not: [Heun] takes it
/// over σ. In the coordinates of σ, with `y = α·x_t`, `α = 1 − t = 1/(1 + σ)` and `t = α·σ`, the
/// points x_t, x' and x̂0 lie on one line, so that the rule corrects x' by x̂0' − x̂0 alone:
///
/// ```text
/// x_next = x' + ½·(α/α_next)·(σ/σ_next − 1)·(x̂0' − x̂0)
/// ```
///
/// A step to σ = 0 is of first order. Deterministic; the error of a run falls as 1/steps².
/// `SamplerTest.flow_heun_is_the_trapezoidal_rule_over_the_time` computes it in the flow's own
/// coordinates. Source: diffusers' `FlowMatchHeunDiscreteScheduler`.
public record FlowHeun() implements Sampler {

  @Override
  public Latents sample(
      Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition) {
    Steps.requireRows(start, noise);
    Latents xt = start;
    for (int i = 0; i < levels.steps(); i++) {
      double sigma = levels.sigmas()[i];
      double landing = levels.landings()[i];
      Latents x0hat = Steps.x0hat(denoiser, xt, sigma, condition);
      Latents predicted = Steps.towards(x0hat, xt, sigma, landing, 1);
      if (landing > 0) {
        Latents x0hatNext = Steps.x0hat(denoiser, predicted, landing, condition);
        double weight = 0.5 * (1 + landing) / (1 + sigma) * (sigma / landing - 1);
        predicted = corrected(predicted, weight, x0hat, x0hatNext);
      }
      xt = Steps.scaled(levels.gains()[i], predicted);
    }
    return xt;
  }

  private static Latents corrected(
      Latents predicted, double weight, Latents x0hat, Latents x0hatNext) {
    float[] out = new float[predicted.values().length];
    for (int i = 0; i < out.length; i++) {
      double change = (double) x0hatNext.values()[i] - x0hat.values()[i];
      out[i] = (float) (predicted.values()[i] + weight * change);
    }
    return predicted.with(out);
  }

  @Override
  public String name() {
    return "flow-heun";
  }
}
