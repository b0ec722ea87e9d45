import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import type { Source } from './assistant-tables.ts';

export function sourceMessage(source: Source): assistant.AssistantSource {
  const { kind, name, items, problem } = source;
  return {
    kind,
    name,
    items,
    problem,
    arguments: Object.entries(source.arguments).map(([key, value]) => ({ name: key, value })),
  };
}
