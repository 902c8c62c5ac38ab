interface Seen {
  readonly cli: boolean;
  readonly composeVersion: string | undefined;
  readonly engine:
    | { readonly problem: string }
    | { readonly os: string; readonly architecture: string; readonly memoryBytes: number };
  readonly config:
    | { readonly project: string; readonly services: readonly string[] }
    | {
        readonly project: string;
        /** What compose says; undefined without compose. */
        readonly problem: string | undefined;
        readonly wrongPorts: readonly { readonly variable: string; readonly value: string }[];
      };
  readonly missingSecrets: readonly string[];
  /** `stack`: the native stack of this checkout that listens there. */
  readonly busyPorts: readonly {
    readonly service: string;
    readonly port: number;
    readonly stack?: string;
  }[];
  readonly volumes: readonly string[];
}

interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'missing' | 'skipped';
  readonly detail: string;
  readonly fix?: string;
}

export function checkContainers(seen: Seen): readonly Finding[];
