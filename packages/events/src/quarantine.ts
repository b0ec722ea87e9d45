const RETRY_MS = 5 * 60_000;
const MAX_ENTRIES = 1_000;

/** Ids of rows that cannot be published now. They are tried again after five minutes or a restart. */
export function createQuarantine(): { add(eventId: string): void; now(): string[] } {
  const until = new Map<string, number>();
  return {
    add: (eventId) => {
      if (until.size >= MAX_ENTRIES) until.delete(until.keys().next().value!);
      until.set(eventId, Date.now() + RETRY_MS);
    },
    now: () => {
      for (const [eventId, time] of until) if (time <= Date.now()) until.delete(eventId);
      return [...until.keys()];
    },
  };
}
