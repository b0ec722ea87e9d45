import { randomUUID } from 'node:crypto';
import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import { decryptSecret, encryptSecret } from '@claviger/keyring';
import type { Handler } from '@claviger/service-kit';
import type { EmergencyDeps } from './deps.ts';
import type { JournaledDrill } from './journal-entry.ts';

const VALUE = 'a value made for the drill';

/** Runs the steps of an emergency disclosure on this replica with a test value. */
export function runEmergencyDrill(
  deps: EmergencyDeps,
): Handler<typeof emergency.EmergencyService.runEmergencyDrill> {
  return async ({ sessionId }, context) => {
    context.auditSubject = { type: 'breakglass-drill', id: sessionId };
    const { tenantId } = context;
    const steps = [
      await step('journal', () => throughJournal(deps, tenantId, sessionId)),
      await step('keys', () => throughKeys(deps, tenantId)),
      await step('database', () => deps.database.ping()),
    ];
    await deps.database.withTenant(tenantId, (tx) =>
      deps.emitter.audit(tx, context, {
        subject: { type: 'breakglass-drill', id: sessionId },
        details: {
          node: deps.config.node,
          passed: steps.every((each) => each.ok),
          failed: steps.filter((each) => !each.ok).map((each) => each.name),
        },
      }),
    );
    return { node: deps.config.node, steps };
  };
}

async function step(name: string, work: () => Promise<unknown>): Promise<emergency.DrillStep> {
  const startedMs = performance.now();
  const took = () => Math.round(performance.now() - startedMs);
  try {
    await work();
    return { name, ok: true, problem: '', tookMs: took() };
  } catch (error) {
    // A failed step is a result of the drill, and the audit event contains it.
    return { name, ok: false, problem: (error as Error).message, tookMs: took() };
  }
}

async function throughJournal(deps: EmergencyDeps, tenantId: string, sessionId: string): Promise<void> {
  const entry: JournaledDrill = {
    v: 1,
    kind: 'drill',
    tenantId,
    sessionId,
    at: new Date().toISOString(),
  };
  const seq = await deps.journal.append(JSON.stringify(entry));
  const [read] = await deps.journal.records(seq - 1);
  if (read?.payload !== JSON.stringify(entry))
    throw new Error('the journal returned another record than the one written');
}

async function throughKeys(deps: EmergencyDeps, tenantId: string): Promise<void> {
  const kek = await deps.secrets.keyFor(tenantId);
  const ids = { tenantId, entryId: randomUUID(), version: 1, purpose: 'drill', kekId: kek.kekId };
  const opened = decryptSecret(kek, encryptSecret(kek, Buffer.from(VALUE), ids), ids);
  if (opened.toString() !== VALUE) throw new Error('the decrypted value differs from the encrypted one');
}
