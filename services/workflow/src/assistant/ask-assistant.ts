import { randomUUID } from 'node:crypto';
import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { assistantSettings, providerOf, requireEnabled } from './assistant-settings.ts';
import type { AssistantDeps } from './deps.ts';
import { type Answer, deterministicAnswer } from './deterministic-answer.ts';
import { type Provider, ProviderError } from './provider/chat-completion.ts';
import { providerAnswer } from './provider/provider-answer.ts';
import { shownProblem } from './provider/shown-problem.ts';
import { sourceMessage } from './source-message.ts';

/** Reserved for the answer by rule and for the record if the provider uses up its time. */
const RESERVE_MS = 5_000;

interface Answered extends Answer {
  readonly by: 'deterministic' | 'provider';
  readonly notice: string;
}

/** Answers, stores the exchange for its user, and writes an audit event without the text of the question. */
export function askAssistant(deps: AssistantDeps): Handler<typeof assistant.AssistantService.askAssistant> {
  return async ({ message }, context) => {
    const { tenantId, actor } = context;
    const { values } = await assistantSettings(deps, tenantId);
    requireEnabled(values);
    const answered = await answer(deps, message, providerOf(values), values.timeoutMs, context);
    const id = randomUUID();
    context.auditSubject = { type: 'assistant-exchange', id };
    const createdAt = await deps.database.withTenant(tenantId, async (tx) => {
      const { rows } = await sql<{
        now: Date;
      }>`SELECT date_trunc('milliseconds', clock_timestamp()) AS now`.execute(tx);
      const createdAt = rows[0]!.now;
      if (values.historyDays > 0) {
        await tx
          .insertInto('assistant_exchanges')
          .values({
            tenant_id: tenantId,
            id,
            user_id: actor.userId,
            question: message,
            answer: answered.text,
            answered_by: answered.by,
            used: JSON.stringify(answered.used),
            created_at: createdAt,
          })
          .execute();
      }
      await deps.emitter.audit(tx, context, {
        details: {
          answeredBy: answered.by,
          // Only names of queries: the arguments can contain text of the message.
          queries: answered.used.filter(({ kind }) => kind === 'query').map(({ name }) => name),
        },
      });
      return createdAt;
    });
    return {
      id,
      answer: answered.text,
      answeredBy: answered.by,
      notice: answered.notice,
      used: answered.used.map(sourceMessage),
      createdAt: createdAt.toISOString(),
    };
  };
}

async function answer(
  deps: AssistantDeps,
  message: string,
  provider: Provider | undefined,
  timeoutMs: number,
  context: CallContext,
): Promise<Answered> {
  const from = { reads: deps.reads, context };
  let notice = '';
  if (provider) {
    const leftMs = Math.min(timeoutMs, context.deadline.getTime() - Date.now() - RESERVE_MS);
    try {
      if (leftMs <= 0) throw new ProviderError('There was no time left to ask the provider.');
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(leftMs)]);
      const call = { policy: deps.providerPolicy(), signal, timeoutMs: leftMs };
      return { ...(await providerAnswer(message, provider, deps.docs, from, call)), by: 'provider', notice };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      deps.logger.warn({ err: error, requestId: context.requestId }, 'the provider of the assistant failed');
      notice = `Answered without the provider: ${shownProblem(error.message, context)}`;
    }
  }
  return { ...(await deterministicAnswer(message, deps.docs, from)), by: 'deterministic', notice };
}
