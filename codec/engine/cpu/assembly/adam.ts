// Adam (Kingma & Ba 2015), four parameters at a time. Bias corrections come in the rate and the root's factor.

/** Step constants, f32 each: beta1, beta2, epsilon, rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t). */
export function adam(
  weights: usize, first: usize, second: usize, gradient: usize, count: i32,
  beta1: f32, beta2: f32, epsilon: f32, rate: f32, rootFactor: f32,
): void {
  const b1 = f32x4.splat(beta1), b2 = f32x4.splat(beta2);
  const a1 = f32x4.splat(<f32>1 - beta1), a2 = f32x4.splat(<f32>1 - beta2);
  const e = f32x4.splat(epsilon), step = f32x4.splat(rate), factor = f32x4.splat(rootFactor);
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = v128.load(gradient + at);
    const m = f32x4.add(f32x4.mul(b1, v128.load(first + at)), f32x4.mul(a1, g));
    const v = f32x4.add(f32x4.mul(b2, v128.load(second + at)), f32x4.mul(a2, f32x4.mul(g, g)));
    v128.store(first + at, m);
    v128.store(second + at, v);
    const root = f32x4.add(f32x4.mul(f32x4.sqrt(v), factor), e);
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), f32x4.div(f32x4.mul(step, m), root)));
  }
}

/** Adds `parts` gradients that lie `stride` bytes apart into the first of them, in order. */
export function sumParts(gradient: usize, parts: i32, stride: usize, count: i32): void {
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = v128.load(gradient + at);
    for (let part = 1; part < parts; part++) sum = f32x4.add(sum, v128.load(gradient + <usize>part * stride + at));
    v128.store(gradient + at, sum);
  }
}
