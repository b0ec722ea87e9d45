import { eventually, type RestAnswer } from '@claviger/testkit';
import { expect } from 'vitest';

/** How calls ended that were sent at once. */
export interface Settled {
  readonly answers: readonly RestAnswer[];
  /** Whether one was cut off on the way, as happens to who waits too long for the others: what it did nobody told. */
  readonly cutOff: boolean;
}

/** Sends all at once; whoever is cut off sends again, as a client does, until it is answered. */
export async function settledAtOnce(sends: readonly (() => Promise<RestAnswer>)[]): Promise<Settled> {
  let cutOff = false;
  const answers = await Promise.all(
    sends.map((send) =>
      eventually(async () => {
        const answer = await send();
        if (answer.status < 500) return answer;
        cutOff = true;
        throw new Error(`answered ${answer.status}: ${answer.text}`);
      }),
    ),
  );
  return { answers, cutOff };
}

/** One was done and all others were refused so; answers those done, which are none only where the one was cut off. */
export function expectOne({ answers, cutOff }: Settled, success: number, refusal: RegExp): RestAnswer[] {
  const done = answers.filter(({ status }) => status === success);
  const others = answers.filter(({ status }) => status !== success);
  for (const { status, body } of others) expect(`${status} ${body.code}`).toMatch(refusal);
  if (cutOff) expect(done.length).toBeLessThanOrEqual(1);
  else expect(done).toHaveLength(1);
  return done;
}
