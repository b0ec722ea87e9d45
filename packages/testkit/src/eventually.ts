/** Polls a condition; throws with the last failure when the time has passed. */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  options: { timeoutMs?: number; intervalMs?: number; what?: string } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 90_000);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(
          `${options.what ?? 'the condition'} did not come true in time: ${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 50));
  }
}
