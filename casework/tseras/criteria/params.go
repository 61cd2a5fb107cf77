package criteria

import (
	"strconv"

	"github.com/tesdiq/tesdiq"
)

func textParam(name, value string) Param { return Param{name, "text", value} }

func numberParam(name string, n int) Param { return Param{name, "text", strconv.Itoa(n)} }

func dateParam(name string, d tesdiq.Date) Param { return Param{name, "date", d.ISO()} }

func criterionParam(id string) Param { return Param{"Criterion", "criterion", id} }

func gradeParam(id string, grade int) Param { return Param{"Grade", "grade", gradeValue(id, grade)} }

func gradeValue(id string, grade int) string { return id + ":" + strconv.Itoa(grade) }

func bandParam(b Band) Param { return Param{"Band", "band", string(b)} }

func causeParam(c Cause) Param { return Param{"Cause", "cause", string(c)} }

func registerParam(name string) Param { return Param{"Register", "register", name} }
