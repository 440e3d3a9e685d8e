/** Cases of NetworkPolicies: nine Pods x/a ... z/c, policies, and who reaches whom then. For unit tests and for clusters. */
import type { JsonObject } from '../lib/base/json.ts'

export const NAMES: readonly string[] = ['x', 'y', 'z'].flatMap(space => ['a', 'b', 'c'].map(pod => `${space}/${pod}`))

/** Who is no Pod. */
export const OUTSIDE: Readonly<Record<string, string>> = { outside: '192.0.2.7' }

type Labels = Readonly<Record<string, string>>

export interface Case {
  readonly name: string
  /** Specs, each under the namespace that it is in. */
  readonly policies: readonly (readonly [namespace: string, spec: JsonObject])[]
  /** Further labels of Pods and namespaces. */
  readonly labels?: Readonly<Record<string, Labels>>
  /** `- from > to [port] [protocol]` is closed, `+` open; the last line that fits counts, and what none fits is open. */
  readonly reach: readonly string[]
}

export function namespaceObject(name: string, labels: Labels = {}): JsonObject {
  return { metadata: { name, labels: { ns: name, ...labels } } }
}

/** A Pod with a name for each of its ports. */
export function podObject(name: string, index: number, labels: Labels = {}): JsonObject {
  const [namespace = '', pod = ''] = name.split('/')
  return {
    metadata: { namespace, name: pod, uid: name, labels: { pod, ...labels } },
    spec: {
      containers: [80, 81].flatMap(port =>
        ['TCP', 'UDP'].map(protocol => ({
          ports: [{ name: `serve-${port}-${protocol.toLowerCase()}`, containerPort: port, protocol }],
        })),
      ),
    },
    status: { phase: 'Running', podIP: `10.244.0.${index + 10}` },
  }
}

export function policyObject([namespace, spec]: Case['policies'][number], index: number): JsonObject {
  return { metadata: { namespace, name: `policy-${index}`, uid: `${index}` }, spec }
}

const all = {}
const pod = (name: string): JsonObject => ({ matchLabels: { pod: name } })
const space = (name: string): JsonObject => ({ matchLabels: { ns: name } })
const among = (key: string, operator: string, ...values: readonly string[]): JsonObject => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
})
const tcp = (port: number | string): JsonObject => ({ protocol: 'TCP', port })
const ingress = (podSelector: JsonObject, ...rules: readonly JsonObject[]): JsonObject => ({
  podSelector,
  policyTypes: ['Ingress'],
  ingress: rules,
})
const egress = (podSelector: JsonObject, ...rules: readonly JsonObject[]): JsonObject => ({
  podSelector,
  policyTypes: ['Egress'],
  egress: rules,
})

export const CASES: readonly Case[] = [
  { name: 'without a policy everything is open', policies: [], reach: [] },
  { name: 'default-deny-ingress closes a namespace', policies: [['x', ingress(all)]], reach: ['- * > x/*'] },
  {
    name: 'default-deny-all closes both directions',
    policies: [['x', { podSelector: all, policyTypes: ['Ingress', 'Egress'] }]],
    reach: ['- * > x/*', '- x/* > *'],
  },
  {
    name: 'policyTypes that are left out are ingress',
    policies: [['x', { podSelector: all, ingress: [] }]],
    reach: ['- * > x/*'],
  },
  {
    name: 'and egress where there are rules for it',
    policies: [['x', { podSelector: pod('a'), egress: [{ to: [{ podSelector: pod('b') }] }] }]],
    reach: ['- * > x/a', '- x/a > *', '+ x/a > x/b'],
  },
  {
    name: 'from Pods of the own namespace by a selector',
    policies: [['x', ingress(pod('a'), { from: [{ podSelector: pod('b') }] })]],
    reach: ['- * > x/a', '+ x/b > x/a'],
  },
  {
    name: 'a target that is allowed wins over a denied namespace',
    policies: [
      ['x', ingress(all)],
      ['x', ingress(pod('a'), {})],
    ],
    reach: ['- * > x/*', '+ * > x/a'],
  },
  {
    name: 'from all namespaces, which is not from outside',
    policies: [['x', ingress(all, { from: [{ namespaceSelector: all }] })]],
    reach: ['- outside > x/*'],
  },
  {
    name: 'from another namespace',
    policies: [['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y') }] })]],
    reach: ['- * > x/a', '+ y/* > x/a'],
  },
  {
    name: 'Pods by an expression',
    policies: [['x', ingress(pod('a'), { from: [{ podSelector: among('pod', 'In', 'b') }] })]],
    reach: ['- * > x/a', '+ x/b > x/a'],
  },
  {
    name: 'namespaces by an expression',
    policies: [['x', ingress(pod('a'), { from: [{ namespaceSelector: among('ns', 'In', 'y') }] })]],
    reach: ['- * > x/a', '+ y/* > x/a'],
  },
  {
    name: 'Exists and DoesNotExist',
    policies: [
      ['x', ingress(pod('a'), { from: [{ namespaceSelector: among('team', 'Exists') }] })],
      ['x', ingress(pod('b'), { from: [{ namespaceSelector: among('team', 'DoesNotExist') }] })],
    ],
    labels: { y: { team: '' } },
    reach: ['- * > x/a', '+ y/* > x/a', '- * > x/b', '+ x/* > x/b', '+ z/* > x/b'],
  },
  {
    name: 'one peer or the other',
    policies: [['x', ingress(pod('a'), { from: [{ podSelector: pod('b') }, { namespaceSelector: space('y') }] })]],
    reach: ['- * > x/a', '+ x/b > x/a', '+ y/* > x/a'],
  },
  {
    name: 'both selectors of one peer',
    policies: [['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y'), podSelector: pod('b') }] })]],
    reach: ['- * > x/a', '+ y/b > x/a'],
  },
  {
    name: 'several namespaces and Pods',
    policies: [
      [
        'x',
        ingress(pod('a'), {
          from: [{ namespaceSelector: among('ns', 'NotIn', 'x'), podSelector: among('pod', 'In', 'b', 'c') }],
        }),
      ],
    ],
    reach: ['- * > x/a', '+ y/b > x/a', '+ y/c > x/a', '+ z/b > x/a', '+ z/c > x/a'],
  },
  {
    name: 'ports for some alone',
    policies: [['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y') }], ports: [tcp(81)] })]],
    reach: ['- * > x/a', '+ y/* > x/a 81 TCP'],
  },
  {
    name: 'policies for the same Pod add up',
    policies: [
      ['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y') }], ports: [tcp(81)] })],
      ['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y') }], ports: [tcp(80)] })],
    ],
    reach: ['- * > x/a', '+ y/* > x/a 81 TCP', '+ y/* > x/a 80 TCP'],
  },
  { name: 'allow-all', policies: [['x', ingress(all, {})]], reach: [] },
  {
    name: 'a named port',
    policies: [['x', ingress(all, { ports: [tcp('serve-81-tcp')] })]],
    reach: ['- * > x/*', '+ * > x/* 81 TCP'],
  },
  {
    name: 'a named port for a namespace',
    policies: [['x', ingress(all, { from: [{ namespaceSelector: space('y') }], ports: [tcp('serve-80-tcp')] })]],
    reach: ['- * > x/*', '+ y/* > x/* 80 TCP'],
  },
  {
    name: 'a named port that nobody has',
    policies: [['x', ingress(all, { ports: [tcp('serve-82-tcp')] })]],
    reach: ['- * > x/*'],
  },
  {
    name: 'a named port of another protocol',
    policies: [['x', ingress(all, { ports: [{ protocol: 'UDP', port: 'serve-80-tcp' }] })]],
    reach: ['- * > x/*'],
  },
  {
    name: 'a named port on the way out',
    policies: [['x', egress(all, { ports: [tcp('serve-80-tcp')] })]],
    reach: ['- x/* > *', '+ x/* > ./. 80 TCP'],
  },
  {
    name: 'a named port on the way out, to some',
    policies: [['x', egress(pod('a'), { to: [{ namespaceSelector: space('y') }], ports: [tcp('serve-81-tcp')] })]],
    reach: ['- x/a > *', '+ x/a > y/* 81 TCP'],
  },
  {
    name: 'from the own namespace alone',
    policies: [['x', ingress(all, { from: [{ podSelector: all }] })]],
    reach: ['- * > x/*', '+ x/* > x/*'],
  },
  {
    name: 'no way out for one Pod',
    policies: [['x', egress(pod('a'))]],
    reach: ['- x/a > *'],
  },
  { name: 'no way out of a namespace', policies: [['x', egress(all)]], reach: ['- x/* > *'] },
  {
    name: 'the way out to a Pod of another namespace',
    policies: [['x', egress(pod('a'), { to: [{ namespaceSelector: space('y'), podSelector: pod('a') }] })]],
    reach: ['- x/a > *', '+ x/a > y/a'],
  },
  {
    name: 'both directions in one policy',
    policies: [
      [
        'x',
        {
          podSelector: pod('a'),
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ from: [{ namespaceSelector: all }], ports: [tcp(80)] }],
          egress: [{ to: [{ namespaceSelector: all }], ports: [tcp(81)] }],
        },
      ],
    ],
    reach: ['- * > x/a', '+ ./. > x/a 80 TCP', '- x/a > *', '+ x/a > ./. 81 TCP'],
  },
  {
    name: 'what the server allows the client may still be denied',
    policies: [
      ['x', egress(all)],
      ['y', ingress(pod('a'), { from: [{ namespaceSelector: all }] })],
    ],
    reach: ['- outside > y/a', '- x/* > *'],
  },
  {
    name: 'what the client may the server may still deny',
    policies: [
      ['x', egress(pod('a'), { to: [{ namespaceSelector: space('y') }] })],
      ['y', ingress(pod('b'), { from: [{ namespaceSelector: space('z') }] })],
    ],
    reach: ['- x/a > *', '+ x/a > y/*', '- * > y/b', '+ z/* > y/b'],
  },
  {
    name: 'TCP where UDP is allowed',
    policies: [['x', ingress(all, { ports: [{ protocol: 'UDP', port: 81 }] })]],
    reach: ['- * > x/*', '+ * > x/* 81 UDP'],
  },
  {
    name: 'SCTP is not TCP',
    policies: [['x', ingress(all, { ports: [{ protocol: 'SCTP', port: 80 }] })]],
    reach: ['- * > x/*', '+ * > x/* 80 SCTP'],
  },
  {
    name: 'TCP is the protocol where none is named, and every port where none is',
    policies: [
      ['x', ingress(pod('a'), { ports: [{ port: 80 }] })],
      ['x', ingress(pod('b'), { ports: [{ protocol: 'UDP' }] })],
    ],
    reach: ['- * > x/a', '+ * > x/a 80 TCP', '- * > x/b', '+ * > x/b UDP'],
  },
  {
    name: 'a range of ports',
    policies: [
      ['x', egress(pod('a'), { ports: [{ protocol: 'TCP', port: 80, endPort: 81 }] })],
      ['x', egress(pod('b'), { ports: [{ protocol: 'TCP', port: 81, endPort: 90 }] })],
    ],
    reach: ['- x/a > *', '+ x/a > * TCP', '- x/b > *', '+ x/b > * 81 TCP'],
  },
  {
    name: 'a block of addresses on the way out',
    policies: [['x', egress(pod('a'), { to: [{ ipBlock: { cidr: '10.244.0.14/32' } }] })]],
    reach: ['- x/a > *', '+ x/a > y/b'],
  },
  {
    name: 'a block but some',
    policies: [['x', egress(pod('a'), { to: [{ ipBlock: { cidr: '10.244.0.0/24', except: ['10.244.0.14/32'] } }] })]],
    reach: ['- x/a > *', '+ x/a > ./.', '- x/a > y/b'],
  },
  {
    name: 'what one block leaves out another policy may allow',
    policies: [
      ['x', egress(pod('a'), { to: [{ ipBlock: { cidr: '10.244.0.0/24', except: ['10.244.0.14/32'] } }] })],
      ['x', egress(pod('a'), { to: [{ ipBlock: { cidr: '10.244.0.14/32' } }] })],
    ],
    reach: ['- x/a > *', '+ x/a > ./.'],
  },
  {
    name: 'a block on the way in',
    policies: [['x', ingress(pod('a'), { from: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [tcp(80)] })]],
    reach: ['- * > x/a', '+ outside > x/a 80 TCP'],
  },
  {
    name: 'the whole world but Pods',
    policies: [['x', ingress(pod('a'), { from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.244.0.0/16'] } }] })]],
    reach: ['- * > x/a', '+ outside > x/a'],
  },
  {
    name: 'a block of the other family',
    policies: [['x', ingress(pod('a'), { from: [{ ipBlock: { cidr: '::/0' } }] })]],
    reach: ['- * > x/a'],
  },
  {
    name: 'a named port in a block',
    policies: [
      ['x', egress(pod('a'), { to: [{ ipBlock: { cidr: '10.244.0.14/32' } }], ports: [tcp('serve-80-tcp')] })],
    ],
    reach: ['- x/a > *', '+ x/a > y/b 80 TCP'],
  },
  {
    name: 'labels of a Pod that change',
    policies: [['x', ingress(pod('a'), { from: [{ podSelector: pod('b') }] })]],
    labels: { 'x/c': { pod: 'b' }, 'x/b': { pod: 'other' } },
    reach: ['- * > x/a', '+ x/c > x/a'],
  },
  {
    name: 'labels of a namespace that change',
    policies: [['x', ingress(pod('a'), { from: [{ namespaceSelector: space('y') }] })]],
    labels: { z: { ns: 'y' }, y: { ns: 'other' } },
    reach: ['- * > x/a', '+ z/* > x/a'],
  },
  {
    name: 'a peer that selects nobody',
    policies: [['x', ingress(pod('a'), { from: [{ podSelector: pod('nobody') }] })]],
    reach: ['- * > x/a'],
  },
  {
    name: 'a policy that selects nobody',
    policies: [['x', ingress(pod('nobody'))]],
    reach: [],
  },
]
