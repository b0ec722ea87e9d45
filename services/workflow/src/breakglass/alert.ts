import type { CallContext, Logger, RecordOutcome } from '@claviger/service-kit';

/** What emergency access does is meant to be heard: operators watch the log for `alert`. */
export function alert(logger: Logger, facts: Readonly<Record<string, unknown>>, what: string): void {
  logger.warn({ alert: 'breakglass', ...facts }, what);
}

/** A recorder that also says so in the log when emergency access was refused to somebody. */
export function withBreakglassAlerts(record: RecordOutcome, logger: Logger): RecordOutcome {
  return (context: CallContext, outcome) => {
    if (context.method.policy?.audit.startsWith('breakglass.')) {
      const { audit: action } = context.method.policy;
      const { requestId } = context;
      const userId = context.actorIfAny?.userId;
      alert(
        logger,
        { action, outcome: outcome.outcome, userId, requestId },
        'an operation of emergency access was refused',
      );
    }
    return record(context, outcome);
  };
}
