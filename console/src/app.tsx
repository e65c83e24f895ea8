/** Addresses and the frame around pages. */
import { useEffect, useState } from "preact/hooks";
import { ErrorBoundary, lazy, LocationProvider, Route, Router } from "preact-iso";
import { Frame } from "./frame.tsx";
import { onSignedOut } from "./lib/api.ts";
import { currentMe } from "./lib/me.ts";
import { SignIn } from "./pages/sign-in.tsx";
import { NotFound } from "./pages/not-found.tsx";

const page = <T,>(load: () => Promise<T>) => lazy(load);
const Phone = page(() => import("./pages/phone.tsx").then((m) => m.PhonePage));
const Overview = page(() => import("./pages/overview.tsx").then((m) => m.OverviewPage));
const Sessions = page(() => import("./pages/sessions.tsx").then((m) => m.SessionsPage));
const Session = page(() => import("./pages/session.tsx").then((m) => m.SessionPage));
const Backends = page(() => import("./pages/backends.tsx").then((m) => m.BackendsPage));
const Channels = page(() => import("./pages/channels.tsx").then((m) => m.ChannelsPage));
const Codes = page(() => import("./pages/codes.tsx").then((m) => m.CodesPage));
const Insights = page(() => import("./pages/insights.tsx").then((m) => m.InsightsPage));
const Settings = page(() => import("./pages/settings.tsx").then((m) => m.SettingsPage));

/** What has no page of its own here, as /docs, is the browser's to open. */
const OURS = /^\/(?:console|phone)(?:[/?#]|$)/;

export function App() {
  const [version, setVersion] = useState(0);
  const [isOut, setOut] = useState(() => currentMe()?.name === null);
  useEffect(() => onSignedOut(() => setOut(true)), []);
  return (
    <LocationProvider scope={OURS}>
      <ErrorBoundary>
        <Frame key={version} isOut={isOut} onWordsChange={() => setVersion((before) => before + 1)}>
          {isOut ? (
            <SignIn
              onDone={() => {
                setOut(false);
                setVersion((before) => before + 1);
              }}
            />
          ) : (
            <Router>
              <Route path="/phone" component={Phone} />
              <Route path="/console" component={Overview} />
              <Route path="/console/phone" component={Phone} />
              <Route path="/console/sessions" component={Sessions} />
              <Route path="/console/sessions/:id" component={Session} />
              <Route path="/console/codes" component={Codes} />
              <Route path="/console/backends" component={Backends} />
              <Route path="/console/channels" component={Channels} />
              <Route path="/console/insights" component={Insights} />
              <Route path="/console/settings" component={Settings} />
              <Route default component={NotFound} />
            </Router>
          )}
        </Frame>
      </ErrorBoundary>
    </LocationProvider>
  );
}
