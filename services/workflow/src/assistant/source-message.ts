import type { assistant } from '@claviger/contracts';
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
