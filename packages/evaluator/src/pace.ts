/** Work that can be left off after each of its steps and taken up again. */
export type Work<T> = Generator<void, T, void>;

/** How long a process may be kept from everything else. */
const SLICE_MS = 8;

/** Does it at once, however long it takes. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does it slice by slice, so that what else waits in this process has its turn in between. */
export async function gradually<T>(work: Work<T>): Promise<T> {
  const pace = createPace();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await pace();
  }
}

/** Called between two steps of long work: waits for others when the last turn was long enough ago. */
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
