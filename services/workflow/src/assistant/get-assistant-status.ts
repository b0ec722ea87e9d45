import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { type Handler, permits } from '@claviger/service-kit';
import { assistantSettings, providerOf } from './assistant-settings.ts';
import type { AssistantDeps } from './deps.ts';
import { shownProblem } from './provider/shown-problem.ts';
import { queries } from './queries/queries.ts';

export function getAssistantStatus(
  deps: AssistantDeps,
): Handler<typeof assistant.AssistantService.getAssistantStatus> {
  return async (_, { tenantId, actor }) => {
    const { values, version } = await assistantSettings(deps, tenantId);
    const provider = values.enabled ? providerOf(values) : undefined;
    const problem = provider && (await deps.checkProvider(tenantId, version, provider));
    return {
      enabled: values.enabled,
      answersBy: provider && problem === '' ? 'provider' : 'deterministic',
      providerState: provider ? (problem === '' ? 'reachable' : 'unreachable') : 'not-configured',
      providerProblem: shownProblem(problem ?? '', { actor }),
      providerAddress: provider ? new URL(provider.endpoint).origin : '',
      model: provider?.model ?? '',
      documents: deps.docs.documents,
      sections: deps.docs.sections,
      queries: queries.map(({ name, description, example, permission }) => ({
        name,
        description,
        example,
        permission,
        permitted: permits(actor.permissions, permission),
      })),
      historyDays: values.historyDays,
    };
  };
}
