// How the cores are shared out: many replicas of one thread each, or fewer with more threads.

/** Who trains, and how. */
export interface ReplicaPlan {
  /** In this process. */
  replicas: number
  /** Processes that train together, with as many replicas each. */
  ranks: number
  /** Threads inside one operator of each replica. */
  threads: number
  /** Give memory back to the system after each operator instead of keeping it for the next. */
  frugal: boolean
}

/** A replica's batch norm sees its own share of the batch alone; below this its statistics are noise. */
const FEWEST_SAMPLES = 8
/** From here on memory decides: 128 MB of weights. */
const MANY_WEIGHTS = 2 ** 25

/**
 * One replica per core, as long as each gets enough samples: on 2 cores of an EPYC 9004 two replicas take, per step,
 * 315 ms (ResNet-20, batch 128), 1.63 s (ResNet-18 at 224x224, batch 16), 786 ms (MobileNetV2, batch 16); one with two
 * threads 395 ms, 1.75 s, 1.04 s. Inside a small operator threads wait for each other, and many operators have no
 * parallel form.
 *
 * Large networks get one replica with all threads, because each replica holds all weights, their gradients, and the
 * teacher's weights. AlexNet with 61 M weights, batch 32: two replicas 13.5 GB; one replica 9.3 GB, and 6.5 GB when
 * memory is given back at once, which costs a tenth of the speed.
 * @param cores threads there are
 * @param batch samples per step
 * @param weights all parameters of the network
 * @param ranks processes that share each batch, each with as many cores
 */
export function planReplicas(cores: number, batch: number, weights: number, ranks = 1): ReplicaPlan {
  if (weights >= MANY_WEIGHTS) return { replicas: 1, ranks, threads: cores, frugal: true }
  const replicas = Math.max(1, Math.min(cores, Math.floor(batch / ranks / FEWEST_SAMPLES)))
  return { replicas, ranks, threads: Math.max(1, Math.floor(cores / replicas)), frugal: false }
}
