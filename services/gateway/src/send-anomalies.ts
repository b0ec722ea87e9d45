import * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import type { CountedAnomaly, Peers } from '@claviger/service-kit';

const TIMEOUT_MS = 3_000;

/** Sends anomalies to auth, which stores them and writes their events: the gateway has no database. */
export async function sendAnomalies(peers: Peers, counted: readonly CountedAnomaly[]): Promise<void> {
  await peers.client('auth', anomalies.AnomaliesService).reportAnomalies(
    {
      anomalies: counted.map(({ alert, subject, tenantId, details, count }) => ({
        alert,
        subjectType: subject.type,
        subjectId: subject.id,
        tenantId: tenantId ?? '',
        details,
        count,
      })),
    },
    { timeoutMs: TIMEOUT_MS },
  );
}
