export function SessionsPage() {
  return <div class="page" />;
}
