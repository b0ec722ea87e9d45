import type { CallContext, Logger, RecordOutcome } from '@claviger/service-kit';

/** Logs a change of emergency access with the field `alert`, which operators monitor. */
export function alert(logger: Logger, facts: Readonly<Record<string, unknown>>, what: string): void {
  logger.warn({ alert: 'breakglass', ...facts }, what);
}

/** A recorder that also logs an alert when an operation of emergency access is refused. */
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
