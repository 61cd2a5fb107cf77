package scratch
import ("context";"testing";"time";"os/exec";"sync";"math/rand/v2";"github.com/tesdiq/tesdiq/internal/privatepg")
func TestS(t *testing.T){
 opts:=privatepg.Options{Dir:t.TempDir()}
 stop:=make(chan struct{}); var wg sync.WaitGroup
 for range 4 { wg.Go(func(){ for { select{case <-stop: return; default:}; exec.Command("/bin/true").Run(); time.Sleep(rand.N(20*time.Millisecond)) } }) }
 for range 4 { wg.Go(func(){ x:=0; for { select{case <-stop: return; default: for i:=range 1000000 { x+=i } } } }) }
 fails:=0; end:=time.Now().Add(80*time.Second); n:=0
 var s *privatepg.Server
 for time.Now().Before(end) { b:=time.Now(); var err error
  s,err=privatepg.Start(context.Background(),opts); n++
  if err!=nil { fails++; t.Logf("start %d after %s: %v",n,time.Since(b),err); continue }
  time.Sleep(rand.N(50*time.Millisecond)); s.Kill() }
 close(stop); wg.Wait(); t.Logf("%d starts, %d fails",n,fails)
}
