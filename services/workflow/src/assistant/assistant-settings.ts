import { ClavigerError } from '@claviger/errors';
import type { SectionValues } from '@claviger/settings';
import type { AssistantDeps } from './deps.ts';
import type { Provider } from './provider/chat-completion.ts';

export type AssistantSettings = SectionValues<'assistant'>['assistant'];

export async function assistantSettings(
  { settings }: Pick<AssistantDeps, 'settings'>,
  tenantId: string,
): Promise<{ readonly values: AssistantSettings; readonly version: string }> {
  const { values, version } = await settings.read(tenantId);
  return { values: values.assistant, version };
}

/** Throws conflict `assistant_disabled`. */
export function requireEnabled({ enabled }: AssistantSettings): void {
  if (enabled) return;
  throw new ClavigerError('conflict', 'The assistant is switched off in this tenant.', {
    code: 'assistant_disabled',
    hint: 'An administrator switches it on with the setting assistant.enabled.',
  });
}

/** Undefined if no provider is configured. */
export function providerOf(values: AssistantSettings): Provider | undefined {
  const { endpoint, model, apiKey, maximumTokens } = values;
  return endpoint === '' ? undefined : { endpoint, model, apiKey, maximumTokens };
}
