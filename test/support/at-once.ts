import { eventually, type RestAnswer } from '@claviger/testkit';
import { expect } from 'vitest';

/** Results of calls that were sent at once. */
export interface Settled {
  readonly answers: readonly RestAnswer[];
  /** Whether a call was cut off, e.g. after waiting too long for the others: its effect is unknown. */
  readonly cutOff: boolean;
}

/** Sends all calls at once; repeats a call that was cut off, as a client does, until it is answered. */
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

/** Asserts one success and this refusal for the rest; returns the successes (none only if it was cut off). */
export function expectOne({ answers, cutOff }: Settled, success: number, refusal: RegExp): RestAnswer[] {
  const done = answers.filter(({ status }) => status === success);
  const others = answers.filter(({ status }) => status !== success);
  for (const { status, body } of others) expect(`${status} ${body.code}`).toMatch(refusal);
  if (cutOff) expect(done.length).toBeLessThanOrEqual(1);
  else expect(done).toHaveLength(1);
  return done;
}
