import type { Generated, JSONColumnType } from 'kysely';

/** A source of an answer, as it is returned and stored. */
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
