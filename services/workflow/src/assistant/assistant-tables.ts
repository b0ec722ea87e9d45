import type { Generated, JSONColumnType } from 'kysely';

/** What an answer rests on, as it is told and kept. */
export interface Source {
  readonly kind: 'query' | 'document';
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly items: number;
  readonly problem: string;
}

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
