import type { rules as contract } from '@claviger/contracts';
import {
  createPace,
  DEFAULT_WINDOW_DAYS,
  type FlowType,
  type Preview,
  startPreview,
} from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import type { WorkflowDeps } from '../deps.ts';
import { statusAt } from '../elevation/elevation-machine.ts';
import { decidedHistory } from './decided-history.ts';
import { criteriaOf } from './rule-fields.ts';
import { timeLimit } from './time-limit.ts';

const MAX_SCANNED = 20_000;
const MAX_MS = 20_000;
const DAY_MS = 24 * 60 * 60_000;

/** What a draft alone would have matched among the elevations of the last days. Nobody sees more than they see in lists. */
export function previewRule(
  deps: Pick<WorkflowDeps, 'database'>,
): Handler<typeof contract.PamRulesServiceService.previewRule> {
  return async (request, context) => {
    const nowMs = await deps.database.readTenant(context.tenantId, transactionTimeMs);
    const windowDays = request.windowDays ?? DEFAULT_WINDOW_DAYS;
    const flowType = (request.flowType || undefined) as FlowType | undefined;
    const running = startPreview(criteriaOf(request), windowDays, {
      at: new Date(nowMs).toISOString(),
      maxScanned: MAX_SCANNED,
      ...(flowType && { flowType }),
    });
    const history = decidedHistory(deps.database, context.tenantId, {
      from: new Date(nowMs - windowDays * DAY_MS),
      to: new Date(nowMs),
      kinds: ['elevation', 'tool'],
      flowType,
      siteIds: context.actor.siteIds,
    });
    const pace = createPace();
    const isOver = timeLimit(context, MAX_MS);
    let late = false;
    scan: for await (const batch of history) {
      late = isOver();
      if (late) break;
      for (const past of batch) {
        const { requestId, status, requestedAt, expiresAt, facts } = past;
        if (!status || !requestedAt || !past.flowType) continue;
        const goesOn = running.add({
          id: requestId,
          requestedAt: requestedAt.toISOString(),
          flowType: past.flowType,
          status: statusAt({ status, expires_at: expiresAt }, nowMs),
          facts,
        });
        if (!goesOn) break scan;
        await pace();
      }
    }
    const report = running.report();
    return previewMessage({ ...report, truncated: report.truncated || late });
  };
}

function previewMessage({ statusBreakdown, sample, ...rest }: Preview): contract.PreviewRuleResponse {
  const { auto_approved: autoApproved, ...statuses } = statusBreakdown;
  return { success: true, ...rest, statusBreakdown: { ...statuses, autoApproved }, sample: [...sample] };
}
