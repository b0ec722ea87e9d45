import type { Generated, JSONColumnType } from 'kysely';
import type { Source } from './queries/run-query.ts';

export interface AssistantTables {
  assistant_exchanges: {
    tenant_id: string;
    id: string;
    user_id: string;
    question: string;
    answer: string;
    answered_by: 'deterministic' | 'provider';
    used: JSONColumnType<Source[], string, never>;
    created_at: Generated<Date>;
  };
}
