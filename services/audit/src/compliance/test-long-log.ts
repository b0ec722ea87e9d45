import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { verifyPackage } from '@claviger/compliance-package';
import type { ClavigerError } from '@claviger/errors';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually, storeSequenced } from '../../test-support.ts';
import { claimReport } from './building/claim-next.ts';
import { runReport } from './building/run-report.ts';
import type { ReportsBench } from './test-reports.ts';

/**
 * Checks that the package of a log of `events` events is made while the memory grows by less than
 * `maxGrowthMiB`.
 */
export function longLog(reports: () => ReportsBench, events: number, maxGrowthMiB: number): void {
  describe('the package of a long log', () => {
    const tenantId = randomUUID();
    beforeAll(async () => {
      await storeSequenced(reports().audit, tenantId, events, (n) => ({
        actorId: randomUUID(),
        subjectId: randomUUID(),
        requestId: randomUUID(),
        reason: `event ${n}`,
        occurredAt: `${reports().day}T00:00:00.000Z`,
      }));
    });

    test('is made and verified in memory that does not depend on the number of events', async () => {
      const { audit, deps, order, makeDue, made, fileOf } = reports();
      const id = await order(tenantId);
      const live = watchLiveMemory();
      const { report, chunks } = await (async () => {
        // Repeat like the duty: a report that timed out on a busy machine is claimed again.
        await eventually(async () => {
          await makeDue(tenantId, id);
          const running = claimReport(deps, tenantId).then(
            (claimed) => claimed && runReport(deps, claimed, new AbortController().signal),
          );
          return running.then(
            () => true,
            (error: ClavigerError) => {
              if (!['unavailable', 'deadline_exceeded'].includes(error.reason)) throw error;
              return false;
            },
          );
        });
        const grown = live.stop();
        expect(grown).toBeLessThan(maxGrowthMiB * 1024 * 1024);
        return made(tenantId, id);
      })();
      expect(report).toMatchObject({ state: 'ready', problem: '' });
      const file = await fileOf(chunks);
      const verdict = await verifyPackage(file, { trustedKeys: [audit.keys.treeHeadPublic] });
      expect(verdict).toMatchObject({ ok: true, problem: null, log: { included: events } });
    });
  });
}

/** Measures by how much the peak of live memory (after garbage collection) exceeds its value at the start. */
function watchLiveMemory(): { stop(): number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const inUse = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = inUse();
  let most = before;
  let timer: NodeJS.Timeout;
  // Pause after each collection: back-to-back collections would starve the measured work.
  const look = (): void => {
    timer = setTimeout(() => {
      most = Math.max(most, inUse());
      look();
    }, 100);
  };
  look();
  return {
    stop: () => {
      clearTimeout(timer);
      return Math.max(most, inUse()) - before;
    },
  };
}
