import { randomUUID } from 'node:crypto';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { requireActiveTenant } from '@claviger/database';
import type { CallContext, Handler } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { DrillStep } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';
import { drillMessage } from './drill-view.ts';

const NODE = 'workflow';
/** Calls go to the replicas in turn; this is the maximum number of calls to reach each replica once. */
const MAX_REPLICAS = 16;

/** Tests each step of emergency access without opening a session, and stores the results as evidence. */
export function runBreakglassDrill(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.runBreakglassDrill> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const id = randomUUID();
    context.auditSubject = { type: 'breakglass-drill', id };
    const steps = [
      await step('policy', async () => {
        const { values } = await deps.settings.read(tenantId);
        await requireUsableCodes(deps, tenantId, values.breakglass.mode);
      }),
      await step('standing', () =>
        deps.directory.getUserNames({ userIds: [actor.userId] }, internalCall(context)),
      ),
      ...(await vaultSteps(deps, context, id)),
    ];
    const passed = steps.every(({ ok }) => ok);
    return deps.database.withTenant(tenantId, async (tx) => {
      await requireActiveTenant(tx);
      const row = await tx
        .insertInto('breakglass_drills')
        .values({
          tenant_id: tenantId,
          id,
          passed,
          run_by: actor.userId,
          run_by_name: actor.userName,
          steps: JSON.stringify(steps),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, {
        reason: request.comment,
        details: { passed, failed: steps.filter(({ ok }) => !ok).map(({ name, node }) => `${node} ${name}`) },
      });
      return { drill: drillMessage(row) };
    });
  };
}

/** If the policy requires offline codes, at least one must be unused. */
async function requireUsableCodes(deps: BreakglassDeps, tenantId: string, mode: string): Promise<void> {
  if (mode !== 'sealed-code') return;
  const code = await deps.database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('breakglass_codes')
      .select('id')
      .where('used_at', 'is', null)
      .where('withdrawn_at', 'is', null)
      .limit(1)
      .executeTakeFirst(),
  );
  if (!code) throw new Error('the policy requires offline codes, and none is left');
}

/** The status of each replica of the vault; the first failed call ends the round. */
async function vaultSteps(deps: BreakglassDeps, context: CallContext, id: string): Promise<DrillStep[]> {
  const steps: DrillStep[] = [];
  const nodes = new Set<string>();
  for (let turn = 0; turn < MAX_REPLICAS; turn += 1) {
    let isNew = false;
    const reached = await step('vault', async () => {
      const request = { sessionId: id, userId: context.actor.userId };
      const { node, steps: own } = await deps.emergency.runEmergencyDrill(request, internalCall(context));
      isNew = !nodes.has(node);
      if (isNew) steps.push(...own.map((each) => ({ ...each, node })));
      nodes.add(node);
    });
    if (!reached.ok) steps.push(reached);
    if (!isNew) break;
  }
  return steps;
}

async function step(name: string, work: () => Promise<unknown>): Promise<DrillStep> {
  const startedMs = performance.now();
  const took = () => Math.round(performance.now() - startedMs);
  try {
    await work();
    return { name, node: NODE, ok: true, problem: '', tookMs: took() };
  } catch (error) {
    // A failed step is a result of the drill: it is stored in the audit event.
    return { name, node: NODE, ok: false, problem: (error as Error).message, tookMs: took() };
  }
}
