import type { FieldProblem } from '@claviger/errors';

/** Collects problems; each field is listed once. */
export class Checked {
  readonly problems: FieldProblem[] = [];

  problem(pointer: string, detail: string): void {
    if (!this.problems.some((known) => known.pointer === pointer)) this.problems.push({ pointer, detail });
  }

  isInteger(value: unknown, min: number, max: number): boolean {
    return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  }

  pointer(at: string, field: string): string {
    return `${at}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
}
