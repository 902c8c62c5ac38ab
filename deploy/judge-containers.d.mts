interface Seen {
  readonly cli: boolean;
  readonly composeVersion: string | undefined;
  readonly engine:
    { readonly problem: string } | { readonly os: string; readonly architecture: string; readonly memoryBytes: number };
  readonly config: { readonly problem: string } | { readonly project: string; readonly services: readonly string[] };
  readonly missingSecrets: readonly string[];
  readonly busyPorts: readonly { readonly service: string; readonly port: number }[];
  readonly volumes: readonly string[];
}

interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'missing';
  readonly detail: string;
  readonly fix?: string;
}

export function judgeContainers(seen: Seen): readonly Finding[];
