/** A board as its writer left it; `version` counts its changes from 1. */
export interface Board {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Deleted boards stay as rows: their versions are what the audit compares. */
  readonly deletedAt: Date | null;
}
