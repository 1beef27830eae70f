export default function Home() {
  return <h1>Remix answers</h1>;
}
