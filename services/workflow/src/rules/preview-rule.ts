import type * as contract from '@claviger/contracts/workflow/v1/rules';
import {
  DEFAULT_WINDOW_DAYS,
  type FlowType,
  type PastRequest,
  type Preview,
  startPreview,
} from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import { statusAt } from '../elevation/elevation-machine.ts';
import { decidedHistory, type PastDecision } from './decided-history.ts';
import type { RulesDeps } from './deps.ts';
import { criteriaOf } from './rule-fields.ts';

const MAX_SCANNED = 20_000;
const MAX_MS = 20_000;
const DAY_MS = 24 * 60 * 60_000;

/**
 * The elevations of the last days that a draft alone would have matched, limited to those that the actor may
 * list.
 */
export function previewRule(
  deps: Pick<RulesDeps, 'database' | 'evaluations'>,
): Handler<typeof contract.PamRulesService.previewRule> {
  return async (request, context) => {
    const nowMs = await deps.database.readTenant(context.tenantId, transactionTimeMs);
    const windowDays = request.windowDays ?? DEFAULT_WINDOW_DAYS;
    const flowType = (request.flowType || undefined) as FlowType | undefined;
    const draft = criteriaOf(request);
    const options = {
      at: new Date(nowMs).toISOString(),
      maxScanned: MAX_SCANNED,
      ...(flowType && { flowType }),
    };
    // Validates the draft before any data is read.
    startPreview(draft, windowDays, options);
    const history = decidedHistory(deps.database, context.tenantId, {
      from: new Date(nowMs - windowDays * DAY_MS),
      to: new Date(nowMs),
      kinds: ['elevation', 'tool'],
      flowType,
      siteIds: context.actor.siteIds,
    });
    const report = await deps.evaluations.run(
      {
        kind: 'preview',
        options: { draft, windowDays, preview: options },
        pages: pastRequests(history, nowMs),
      },
      { call: context, maxMs: MAX_MS },
    );
    return previewMessage(report);
  };
}

async function* pastRequests(
  history: AsyncIterable<readonly PastDecision[]>,
  nowMs: number,
): AsyncGenerator<PastRequest[], void, void> {
  for await (const page of history)
    yield page.flatMap(({ requestId, status, requestedAt, expiresAt, flowType, facts }) => {
      if (!status || !requestedAt || !flowType) return [];
      return {
        id: requestId,
        requestedAt: requestedAt.toISOString(),
        flowType,
        status: statusAt({ status, expires_at: expiresAt }, nowMs),
        facts,
      };
    });
}

function previewMessage({ statusBreakdown, sample, ...rest }: Preview): contract.PreviewRuleResponse {
  const { auto_approved: autoApproved, ...statuses } = statusBreakdown;
  return { success: true, ...rest, statusBreakdown: { ...statuses, autoApproved }, sample: [...sample] };
}
