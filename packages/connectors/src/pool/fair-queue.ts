/**
 * Jobs that wait for a worker, served round-robin by tenant: many jobs of one tenant do not delay the others.
 */
export class FairQueue<Job> {
  readonly #byTenant = new Map<string, Job[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  waitingOf(tenantId: string): number {
    return this.#byTenant.get(tenantId)?.length ?? 0;
  }

  add(tenantId: string, job: Job): void {
    const jobs = this.#byTenant.get(tenantId);
    if (jobs === undefined) this.#byTenant.set(tenantId, [job]);
    else jobs.push(job);
    this.#size += 1;
  }

  /**
   * Takes the oldest job of the first tenant that may be served; that tenant then moves to the end of the
   * queue.
   */
  take(mayServe: (tenantId: string) => boolean): Job | undefined {
    for (const [tenantId, jobs] of this.#byTenant) {
      if (!mayServe(tenantId)) continue;
      const job = jobs.shift();
      this.#byTenant.delete(tenantId);
      if (jobs.length > 0) this.#byTenant.set(tenantId, jobs);
      if (job !== undefined) this.#size -= 1;
      return job;
    }
    return undefined;
  }

  remove(tenantId: string, job: Job): boolean {
    const jobs = this.#byTenant.get(tenantId);
    const at = jobs?.indexOf(job) ?? -1;
    if (jobs === undefined || at < 0) return false;
    jobs.splice(at, 1);
    if (jobs.length === 0) this.#byTenant.delete(tenantId);
    this.#size -= 1;
    return true;
  }
}
