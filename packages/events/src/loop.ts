/** Runs `work` again and again, as many milliseconds apart as it answers, until stopped; stopping waits for its end. */
export function startLoop(work: () => Promise<number>): { stop(): Promise<void> } {
  let stopping = false;
  let wake: (() => void) | undefined;
  const loop = (async () => {
    while (!stopping) {
      const pauseMs = await work();
      if (stopping || pauseMs === 0) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return {
    stop: async () => {
      stopping = true;
      wake?.();
      await loop;
    },
  };
}
