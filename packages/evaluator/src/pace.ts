/** Work that can be paused after each step and resumed. */
export type Work<T> = Generator<void, T, void>;

/** How long a process may be blocked. */
const SLICE_MS = 8;

/** Runs all steps at once. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Runs the steps in slices, so that other work of the process can run in between. */
export async function gradually<T>(work: Work<T>): Promise<T> {
  const pace = createPace();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await pace();
  }
}

/** Called between two steps of long work: yields if the slice has reached its time limit. */
export function createPace(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now();
        resolve();
      }),
    );
  };
}
