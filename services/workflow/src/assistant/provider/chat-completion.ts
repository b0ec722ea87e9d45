import { createOutboundClient, OutboundError, type TargetPolicy } from '@claviger/outbound';
import { z } from 'zod';

/** The configured endpoint for questions. */
export interface Provider {
  /** Base URL, e.g. `https://models.example/v1`. */
  readonly endpoint: string;
  readonly model: string;
  /** Empty: the provider needs no key. */
  readonly apiKey: string;
  readonly maximumTokens: number;
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string | null; readonly tool_calls: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string };

const toolCall = z.object({
  id: z.string().min(1).max(200),
  type: z.literal('function').default('function'),
  function: z.object({ name: z.string().max(200), arguments: z.string().max(10_000) }),
});
export type ToolCall = z.infer<typeof toolCall>;

/** The fields that are read of an answer; others are dropped. */
const completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({
          content: z.string().max(100_000).nullish(),
          tool_calls: z.array(toolCall).max(20).nullish(),
        }),
      }),
    )
    .min(1),
});

export interface Completion {
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
}

export interface ProviderCall {
  readonly policy: TargetPolicy;
  readonly signal: AbortSignal;
  /** Of one HTTP exchange. */
  readonly timeoutMs: number;
}

const MAX_ANSWER_BYTES = 262_144;

/** The provider failed. The message can be shown and contains no text of the provider. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
}

/** One turn of the conversation. Throws ProviderError. */
export async function chatCompletion(
  provider: Provider,
  messages: readonly ChatMessage[],
  tools: readonly object[],
  call: ProviderCall,
): Promise<Completion> {
  const { model, maximumTokens } = provider;
  const body = JSON.stringify({
    model,
    messages,
    max_tokens: maximumTokens,
    temperature: 0,
    stream: false,
    ...(tools.length > 0 ? { tools, tool_choice: 'auto' } : {}),
  });
  const answer = await send(provider, 'POST', '/chat/completions', body, call);
  if (answer.status !== 200)
    throw new ProviderError(`The provider answered with the status ${answer.status}.`);
  let parsed: z.infer<typeof completion>;
  try {
    parsed = completion.parse(JSON.parse(answer.body.toString('utf8')));
  } catch (cause) {
    throw new ProviderError('The provider’s answer does not have the format of the interface.', { cause });
  }
  const { content, tool_calls } = parsed.choices[0]!.message;
  return { content: content ?? '', toolCalls: tool_calls ?? [] };
}

/** Returns an empty text if the provider answers and accepts the key, else the problem. */
export async function providerProblem(provider: Provider, call: ProviderCall): Promise<string> {
  try {
    const { status } = await send(provider, 'GET', '/models', undefined, call);
    if (status === 401 || status === 403) return 'The provider refuses the key.';
    return status >= 500 || (status >= 300 && status < 400)
      ? `The provider answered with the status ${status}.`
      : '';
  } catch (error) {
    if (error instanceof ProviderError) return error.message;
    throw error;
  }
}

async function send(
  { endpoint, apiKey }: Provider,
  method: string,
  path: string,
  body: string | undefined,
  { policy, signal, timeoutMs }: ProviderCall,
) {
  const client = createOutboundClient({
    policy,
    schemes: ['https', 'http'],
    allowAddresses: true,
    connectTimeoutMs: Math.min(timeoutMs, 5_000),
    totalTimeoutMs: timeoutMs,
    maxBodyBytes: MAX_ANSWER_BYTES,
  });
  try {
    return await client.request({
      url: `${endpoint.replace(/\/+$/, '')}${path}`,
      method,
      // A redirect would send the key to another address.
      redirect: 'manual',
      signal,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    if (error instanceof OutboundError) throw new ProviderError(error.message, { cause: error });
    throw error;
  }
}
